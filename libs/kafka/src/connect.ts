import type { Logger } from '@genesys-kafka/runtime';
import { requireSettings } from '@genesys-kafka/runtime/settings';
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
    readonly sasl?: KafkaSasl | undefined;
    readonly allowInsecureLogin: boolean;
    readonly requestTimeoutMs: number;
    readonly compression: KafkaCompression;
  };
}

/** The client that the settings ask for. Throws a `ConfigError` where no brokers are set; connects with the first call. */
export function connectKafka(settings: KafkaSettings, log: Logger): KafkaClient {
  const { connector, kafka } = settings;
  return createKafkaClient({
    clientId: `${kafka.topicPrefix}${connector}`,
    brokers: requireSettings(settings, ['kafka.brokers'])['kafka.brokers'],
    ssl: kafka.ssl,
    ...(kafka.sasl ? { sasl: kafka.sasl } : {}),
    allowInsecureLogin: kafka.allowInsecureLogin,
    requestTimeoutMs: kafka.requestTimeoutMs,
    compression: kafka.compression,
    logger: (level, message, details) => log[level](details, message),
  });
}
