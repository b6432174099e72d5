import { count, identifier } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { DATA_PARTITIONS } from './topic-specs.ts';

/** `connector`: with the prefix of topics, what tells one installation's work from another's. */
export const CONNECTOR = identifier(60).prefault('default').meta({
  env: 'CONNECTOR_NAME',
  description: "Names the ledger's entries, transactional ids and consumer groups.",
});

/** Keys of `kafka`: what our topics are called, and how they are made. */
export const TOPIC_KEYS = {
  topicPrefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]*$/, {
      error: 'has other characters than Kafka allows; use letters, digits, dot, dash, underscore',
    })
    .max(100)
    .prefault('genesys.')
    .meta({ kind: 'text', env: 'KAFKA_TOPIC_PREFIX', description: 'Starts each topic, group and transactional id.' }),
  partitions: count(1, 1000)
    .prefault(DATA_PARTITIONS)
    .meta({ description: 'Partitions of data topics when they are created.' }),
};
