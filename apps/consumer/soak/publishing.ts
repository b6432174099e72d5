import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '@genesys-kafka/testing';
import { partitionFor } from '@genesys-kafka/topics';
import { dataPartitions, type Area, type Sample } from '../fixtures/bus.ts';

const TICK_MS = 250;

/**
 * Publishes version after version of `keys` conversations, in transactions, until `signal` aborts; resolves with how many
 * transactions failed. What came of them is read from the topic: that of one may not be known.
 */
export async function publishUntil(
  signal: AbortSignal,
  area: Area,
  { rate, keys, seed }: { readonly rate: number; readonly keys: number; readonly seed: number },
): Promise<number> {
  const random = seededRandom(seed);
  const versions = new Map<string, number>();
  const next = (): Sample => {
    const conversationId = `c-${Math.floor(random() * keys)}`;
    const n = versions.get(conversationId) ?? 0;
    versions.set(conversationId, n + 1);
    return { conversationId, n };
  };
  let failed = 0;
  let ordinal = 0;
  let producer = area.client.transactionalProducer(`${area.prefix}soak`);
  while (!signal.aborted) {
    const count = Math.max(1, Math.round((rate * TICK_MS) / 1000));
    const samples = Array.from({ length: count }, next);
    try {
      const transaction = await producer.begin();
      const partitions = Map.groupBy(samples, ({ conversationId }) => partitionFor(conversationId, dataPartitions));
      for (const [partition, own] of partitions) {
        const records = own.map((sample) => area.outgoing(sample, 'soak', (ordinal += 1)));
        await transaction.send({ topic: area.main, partition }, records);
      }
      // Some are taken back: their offsets stay, and nobody sees them.
      if (random() < 0.05) await transaction.abort();
      else await transaction.commit();
    } catch {
      failed += 1;
      await producer.close().catch(() => undefined);
      producer = area.client.transactionalProducer(`${area.prefix}soak`);
    }
    await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
  }
  await producer.close();
  return failed;
}
