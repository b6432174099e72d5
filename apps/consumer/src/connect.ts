import { createKafkaClient, type KafkaClient } from '@genesys-kafka/kafka';
import { requireSettings, type Logger } from '@genesys-kafka/runtime';
import { createSchemaRegistry, type SchemaRegistry } from '@genesys-kafka/schema-registry';
import type { Settings } from './settings.ts';

/** Throws a ConfigError where no brokers are set; connects with the first call. */
export function connectKafka(settings: Settings, log: Logger): KafkaClient {
  const { kafka, connector } = settings;
  return createKafkaClient({
    clientId: `${kafka.topicPrefix}${connector}`,
    brokers: requireSettings(settings, ['kafka.brokers'])['kafka.brokers'],
    ssl: kafka.ssl,
    ...(kafka.sasl ? { sasl: kafka.sasl } : {}),
    requestTimeoutMs: kafka.requestTimeoutMs,
    compression: kafka.compression,
    logger: (level, message, details) => log[level](details, message),
  });
}

/** Undefined where none is configured: the consumer reads the bytes either way, and then takes any schema id. */
export function connectRegistry({ schema }: Settings): SchemaRegistry | undefined {
  const { registry: url, username, password } = schema;
  if (url === undefined) return undefined;
  return createSchemaRegistry({ url, ...(username ? { username } : {}), ...(password ? { password } : {}) });
}
