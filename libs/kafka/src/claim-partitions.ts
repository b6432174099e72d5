import { systemClock, type Clock } from '@genesys-kafka/resilience';
import type { ConsumedRecord, KafkaClient, OutgoingRecord, TopicPartition, TransactionalProducer } from './port.ts';
import { OPEN_TRANSACTION_MS } from './read-to-end.ts';
import { sendAll } from './send-all.ts';

export interface PartitionClaim {
  readonly partitions: readonly TopicPartition[];
  /** The claim as it is written; it holds a nonce that no other claim has. */
  readonly record: OutgoingRecord;
  /** Whether a record that is read is this claim: by its nonce. */
  readonly isOwn: (record: ConsumedRecord) => boolean;
  /** Where to read from; default each log's start. */
  readonly from?: (target: TopicPartition) => 'start' | bigint;
  /** Told of every committed record in front of the claim, in each partition's order. */
  readonly onRecord?: (record: ConsumedRecord) => void;
  /** What is thrown where the claim stays hidden: another transaction is open in front of it. */
  readonly hidden: (target: TopicPartition, waitedMs: number) => Error;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** A partition that is claimed, and the offset of the claim in it: everything committed before lies below. */
export interface ClaimedPartition extends TopicPartition {
  readonly offset: bigint;
}

/**
 * Takes partitions over (docs/exactly-once.md, rule 3): fences every earlier holder of the producer's id, commits a
 * claim to each partition in a transaction of its own, and reads each until that claim is seen. Only then is the state
 * known: end offsets lie behind open transactions. Rejects with a KafkaError where the cluster cannot be reached, with
 * `hidden` after a minute, or with the signal's reason; the producer is then the caller's to close.
 */
export async function claimPartitions(
  client: Pick<KafkaClient, 'read'>,
  producer: TransactionalProducer,
  claim: PartitionClaim,
): Promise<readonly ClaimedPartition[]> {
  const transaction = await producer.begin();
  claim.signal?.throwIfAborted();
  const records = [claim.record];
  await sendAll(
    transaction,
    claim.partitions.map((target) => ({ target, records })),
  );
  await transaction.commit();
  return Promise.all(claim.partitions.map(async (target) => readToClaim(client, target, claim)));
}

async function readToClaim(
  client: Pick<KafkaClient, 'read'>,
  target: TopicPartition,
  { isOwn, from, onRecord, hidden, signal, clock = systemClock }: PartitionClaim,
): Promise<ClaimedPartition> {
  const startMs = clock.monotonicMs();
  const options = { from: from?.(target) ?? 'start', ...(signal ? { signal } : {}) };
  for await (const slice of client.read(target, options)) {
    for (const record of slice.records) {
      if (isOwn(record)) return { ...target, offset: record.offset };
      onRecord?.(record);
    }
    const waitedMs = clock.monotonicMs() - startMs;
    if (waitedMs > OPEN_TRANSACTION_MS && slice.nextOffset >= slice.lastStableOffset) throw hidden(target, waitedMs);
  }
  throw hidden(target, clock.monotonicMs() - startMs);
}
