import type { KafkaClient } from '../port.ts';
import { KafkajsAdmin } from './admin.ts';
import { createConnection, type KafkaClientOptions } from './connection.ts';
import { KafkajsGroupConsumer } from './group/group-consumer.ts';
import { KafkajsIdempotentProducer } from './idempotent-producer.ts';
import { readPartition } from './partition-reader.ts';
import { KafkajsTransactionalProducer } from './transactional-producer.ts';

/**
 * The port on kafkajs 2.2.4. Nothing connects before it is used. `close` closes what this client handed out and is
 * still open; it never rejects and takes some seconds at most.
 */
export function createKafkaClient(options: KafkaClientOptions): KafkaClient {
  const connection = createConnection(options);
  const admin = new KafkajsAdmin(connection);
  const open = new Set<() => Promise<void>>();
  return {
    admin,
    transactionalProducer(transactionalId) {
      const producer = new KafkajsTransactionalProducer(connection, transactionalId);
      return closable(open, producer, 'close');
    },
    producer: () => closable(open, new KafkajsIdempotentProducer(connection), 'close'),
    groupConsumer: (group) => closable(open, new KafkajsGroupConsumer(connection, group), 'stop'),
    read: (target, readOptions) => readPartition(connection, target, readOptions),
    async close() {
      await Promise.all([...open].map((close) => close()));
      await admin.close();
    },
  };
}

/** Keeps `resource` in `open` until it is closed by whoever made it. */
function closable<K extends 'close' | 'stop', T extends Record<K, () => Promise<void>>>(
  open: Set<() => Promise<void>>,
  resource: T,
  verb: K,
): T {
  const end = resource[verb].bind(resource);
  const once = async () => {
    open.delete(once);
    await end();
  };
  open.add(once);
  resource[verb] = once as T[K];
  return resource;
}
