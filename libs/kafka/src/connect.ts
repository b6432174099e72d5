import { ClientIdentity, type ClientIdentityFiles } from '@genesys-kafka/http';
import type { Logger } from '@genesys-kafka/runtime';
import { ConfigError, requireSettings } from '@genesys-kafka/runtime/settings';
import { createKafkaClient } from './kafkajs/client.ts';
import type { KafkaSasl } from './kafkajs/connection.ts';
import type { KafkaClient } from './port.ts';
import type { KafkaCompression } from './wire/codecs.ts';

/** What a program that connects has in its settings. */
export interface KafkaSettings {
  readonly connector: string;
  readonly kafka: {
    readonly topicPrefix: string;
    readonly brokers: readonly string[];
    readonly ssl: boolean;
    readonly tls?: ClientIdentityFiles | undefined;
    readonly sasl?: KafkaSasl | undefined;
    readonly allowInsecureLogin: boolean;
    readonly requestTimeoutMs: number;
    readonly compression: KafkaCompression;
  };
}

/**
 * The client that the settings ask for; connects with the first call. Throws a `ConfigError` where no brokers are set, or
 * the files of the certificate cannot be used; `section`: where it is read that they are, for messages.
 */
export function connectKafka(settings: KafkaSettings, log: Logger, section = 'kafka'): KafkaClient {
  const { connector, kafka } = settings;
  const wrongFile = (option: string, problem: string) =>
    new ConfigError([{ path: `${section}.tls.${option}`, problem, fix: 'name readable PEM files of one key pair' }]);
  return createKafkaClient({
    clientId: `${kafka.topicPrefix}${connector}`,
    brokers: requireSettings(settings, ['kafka.brokers'])['kafka.brokers'],
    ssl: kafka.ssl,
    ...(kafka.tls ? { identity: new ClientIdentity(kafka.tls, wrongFile) } : {}),
    ...(kafka.sasl ? { sasl: kafka.sasl } : {}),
    allowInsecureLogin: kafka.allowInsecureLogin,
    requestTimeoutMs: kafka.requestTimeoutMs,
    compression: kafka.compression,
    logger: (level, message, details) => log[level](details, message),
  });
}
