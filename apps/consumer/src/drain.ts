import { isRetryable, type Clock } from '@genesys-kafka/resilience';
import type { KafkaAdmin, KafkaClient, TopicPartition } from '@genesys-kafka/kafka';

export interface DrainOptions {
  readonly client: Pick<KafkaClient, 'read'> & { readonly admin: Pick<KafkaAdmin, 'offsets' | 'groupOffsets'> };
  readonly groupIds: readonly string[];
  readonly topics: readonly string[];
  readonly signal: AbortSignal;
}

const lookEveryMs = 500;

/**
 * Resolves when nothing is left to work off. Two looks in a row must agree: a record on its way from one topic to
 * another, as a retry, may be missed by one. Rejects with the signal's reason.
 */
export async function drained(options: DrainOptions, clock: Clock): Promise<void> {
  for (let looks = 0; looks < 2;) {
    await clock.sleep(lookEveryMs, options.signal);
    try {
      looks = (await looksDrained(options)) ? looks + 1 : 0;
    } catch (error) {
      options.signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      looks = 0;
    }
  }
}

/**
 * Whether every group has committed past the last record of every topic, main and retries. Asked of the broker, so that
 * other members' work counts too.
 */
async function looksDrained(options: DrainOptions): Promise<boolean> {
  for (const topic of options.topics) {
    // Commits first: a record that comes between the two questions counts as left.
    const committed = await Promise.all(
      options.groupIds.map(async (groupId) => options.client.admin.groupOffsets(groupId, topic)),
    );
    for (const { partition, first, end } of await options.client.admin.offsets(topic)) {
      const lowest = committed.reduce((low, group) => min(low, group.get(partition) ?? first), end);
      if (lowest < end && (await hasRecords({ topic, partition }, lowest, end, options))) return false;
    }
  }
  return true;
}

/** Offsets are taken by transaction markers too: only a look tells whether a record is left. */
async function hasRecords(
  target: TopicPartition,
  from: bigint,
  end: bigint,
  { client, signal }: DrainOptions,
): Promise<boolean> {
  for await (const slice of client.read(target, { from, signal, maxWaitMs: 100 })) {
    if (slice.records.length > 0) return true;
    if (slice.nextOffset >= end) return false;
  }
  return false;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
