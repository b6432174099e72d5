import {
  KafkaError,
  OPEN_TRANSACTION_MS,
  partitionName,
  type KafkaAdmin,
  type KafkaClient,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { isRetryable, type Clock } from '@genesys-kafka/resilience';
import { ConsumerError } from '../errors.ts';
import { committedIn } from './commit-note.ts';
import { findOpenTransactions, stillOpen, transactionOpen, type OpenTransactions } from './open-transactions.ts';

export interface DrainOptions {
  readonly client: Pick<KafkaClient, 'read'> & {
    readonly admin: Pick<KafkaAdmin, 'offsets' | 'groupCommits' | 'topicId'>;
  };
  readonly groupIds: readonly string[];
  readonly topics: readonly string[];
  readonly signal: AbortSignal;
}

/** As long as the producer waits for brokers: whoever starts a drain by a timer wants it to end, one way or the other. */
export const AWAY_MS = 300_000;
const LOOK_EVERY_MS = 500;

/** As far back from the log's end the last record is looked for first: markers of transactions come after it. */
const TAIL_OFFSETS = 8n;

/**
 * Resolves when nothing is left to work off. Two looks in a row must agree: a record on its way from one topic to
 * another, as a retry, may be missed by one. Rejects with the signal's reason, with `transaction-open` where records stay
 * behind a transaction that nobody ends, and with what brokers that are away for good fail with.
 */
export async function drained(options: DrainOptions, clock: Clock): Promise<void> {
  const seen = new Map<string, bigint>();
  let open: OpenTransactions | undefined;
  let openSinceMs = 0;
  let answeredMs = clock.monotonicMs();
  for (let looks = 0; looks < 2;) {
    await clock.sleep(LOOK_EVERY_MS, options.signal);
    try {
      const isDrained = await looksDrained(options, seen);
      answeredMs = clock.monotonicMs();
      if (!isDrained) {
        looks = 0;
        continue;
      }
      if (!open) openSinceMs = clock.monotonicMs();
      open = open ? await stillOpen(options.client.admin, open) : await findOpenTransactions(options);
      looks = open.length === 0 ? looks + 1 : 0;
      if (looks === 0 && clock.monotonicMs() - openSinceMs > OPEN_TRANSACTION_MS) throw transactionOpen(open);
    } catch (error) {
      options.signal.throwIfAborted();
      // Records may be deleted between the question for the log's bounds and the look at a record.
      const isDeleted = error instanceof KafkaError && error.code === 'offset-out-of-range';
      if (!isDeleted && (!isRetryable(error) || clock.monotonicMs() - answeredMs >= AWAY_MS)) throw error;
      looks = 0;
    }
  }
}

/** What records may wait for, and why they do. */
export interface WaitedFor {
  readonly notReady: string | undefined;
}

/** Rejects with `drain-held-up` once records have waited for so long for one of them, and with the signal's reason. */
export async function untilHeldUpForGood(all: readonly WaitedFor[], clock: Clock, signal: AbortSignal): Promise<never> {
  const sinceMs = new Map<WaitedFor, number>();
  for (;;) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    for (const one of all) {
      const { notReady } = one;
      const nowMs = clock.monotonicMs();
      const heldUpMs = nowMs - (sinceMs.get(one) ?? nowMs);
      if (notReady === undefined) sinceMs.delete(one);
      else sinceMs.set(one, nowMs - heldUpMs);
      if (notReady === undefined || heldUpMs < AWAY_MS) continue;
      throw new ConsumerError('drain-held-up', `For ${Math.floor(heldUpMs / 60_000)} minutes now ${notReady}.`);
    }
  }
}

/**
 * Whether every group has committed past the last record of every topic, main and retries. Asked of the broker, so that
 * other members' work counts too. `seen` keeps the latest record found of each partition: until that is committed there
 * is nothing to read again, which would unpack the same records every time.
 */
async function looksDrained(options: DrainOptions, seen: Map<string, bigint>): Promise<boolean> {
  const { admin } = options.client;
  for (const topic of options.topics) {
    // Commits first: a record that comes between the two questions counts as left.
    const committed = await committedIn(admin, options.groupIds, topic);
    for (const { partition, first, end } of await admin.offsets(topic)) {
      // A place behind the log's end belongs to another topic of that name, or a new leader knows an older end.
      if (committed.some((group) => (group.get(partition) ?? 0n) > end)) return false;
      // What was deleted before a group came to it is not left: a gap is accepted, or has stopped the run.
      const lowest = max(
        first,
        committed.reduce((low, group) => min(low, group.get(partition) ?? first), end),
      );
      if (lowest >= end) continue;
      const name = partitionName({ topic, partition });
      if ((seen.get(name) ?? -1n) >= lowest) return false;
      const record = await lateRecord({ topic, partition }, lowest, end, options);
      if (record === undefined) continue;
      seen.set(name, record);
      return false;
    }
  }
  return true;
}

/**
 * Offset of a record from `lowest` on, a late one where that is easily found; undefined where there is none. Offsets
 * are taken by transaction markers too: only a look tells whether a record is left.
 */
async function lateRecord(
  target: TopicPartition,
  lowest: bigint,
  end: bigint,
  options: DrainOptions,
): Promise<bigint | undefined> {
  const tail = end - TAIL_OFFSETS;
  const late = tail > lowest ? await firstFound(target, tail, end, options) : undefined;
  return late ?? firstFound(target, lowest, end, options);
}

/** The last record of the first slice that has any. */
async function firstFound(
  target: TopicPartition,
  from: bigint,
  end: bigint,
  { client, signal }: DrainOptions,
): Promise<bigint | undefined> {
  for await (const { records, nextOffset } of client.read(target, { from, signal, maxWaitMs: 100 })) {
    const last = records.at(-1);
    if (last !== undefined) return last.offset;
    if (nextOffset >= end) return undefined;
  }
  return undefined;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
