import { randomUUID } from 'node:crypto';
import {
  claimPartitions,
  partitionName,
  sendAll,
  type KafkaClient,
  type OutgoingRecord,
  type TopicPartition,
  type TransactionalProducer,
} from '@genesys-kafka/kafka';
import { SlidingWindow, type Clock } from '@genesys-kafka/resilience';
import type { RoutePlan } from '@genesys-kafka/routing';
import { MARKER_HEADER, partitionFor, type RecordReader, type TopicSize } from '@genesys-kafka/topics';
import {
  DeadLetterLog,
  openDeadLetterLog,
  type DeadLetterFilter,
  type LogPart,
  type StoredDeadLetter,
} from './dead-letter-log.ts';
import { replayBlocked } from './errors.ts';
import { replayHeaders, replayTarget } from './replay-target.ts';

export interface ReplayOptions {
  readonly client: KafkaClient;
  readonly plans: readonly RoutePlan[];
  readonly reader: RecordReader;
  /** Of this connector: one replay at a time, the later one takes over. */
  readonly transactionalId: string;
  /** In front of the route in a group id: another connector's dead letters on the same topic are left alone. */
  readonly groupPrefix: string;
  readonly deadLetters: TopicSize;
  readonly firstRetry: TopicSize;
  readonly filter: DeadLetterFilter;
  readonly perSecond: number;
  /** Says what would be done, and writes nothing. */
  readonly dryRun: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (replayed: number) => void;
}

export interface ReplayReport {
  /** Dead letters sent back; with a dry run, that would be. */
  readonly replayed: number;
  /** Replayed by an earlier command. */
  readonly alreadyReplayed: number;
  readonly otherConnectors: number;
  /** Not replayed, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Records of the topic that are no dead letters of this program. */
  readonly unreadable: number;
  readonly dryRun: boolean;
}

/** What one transaction replays at most. */
const BATCH = { deadLetters: 100, bytes: 4 * 1024 * 1024 };

/**
 * Sends dead letters back to the first retry topic of their routes, each identity once, whatever is interrupted and
 * however often the command is repeated: the retry records and the markers that say "replayed" are one transaction.
 * Before it reads, it takes over from any earlier replay and reads up to its own claim, so that nothing committed is
 * overlooked. After a failure the same command goes on where the markers stand.
 */
export async function replayDeadLetters(options: ReplayOptions): Promise<ReplayReport> {
  const { client, deadLetters, dryRun, signal } = options;
  if (dryRun) return walk(options, await openDeadLetterLog(client, deadLetters.topic, signal), async () => undefined);
  const producer = client.transactionalProducer(options.transactionalId);
  try {
    const parts = await claim(producer, options);
    const log = new DeadLetterLog(client, parts, signal);
    return await walk(options, log, async (batch) => sendBack(producer, batch, options));
  } finally {
    await producer.close();
  }
}

interface Routed {
  readonly stored: StoredDeadLetter;
  readonly routes: readonly RoutePlan[];
}

async function walk(
  options: ReplayOptions,
  log: DeadLetterLog,
  send: (batch: readonly Routed[]) => Promise<void>,
): Promise<ReplayReport> {
  const { filter, perSecond, dryRun, clock, signal, onProgress } = options;
  const pace = new SlidingWindow({ max: perSecond, perMs: 1000, clock });
  const refused: Record<string, number> = {};
  let [replayed, alreadyReplayed, otherConnectors, bytes] = [0, 0, 0, 0];
  let batch: Routed[] = [];
  const flush = async () => {
    await send(batch);
    replayed += batch.length;
    [batch, bytes] = [[], 0];
    onProgress(replayed);
  };
  for await (const stored of log.deadLetters(filter)) {
    if (isOfOther(stored, options)) otherConnectors += 1;
    else if (stored.replayedAt !== undefined) alreadyReplayed += 1;
    else {
      const target = await replayTarget(stored, options);
      if (target.kind === 'refused') {
        refused[target.why] = (refused[target.why] ?? 0) + 1;
        continue;
      }
      if (!dryRun) await pace.acquire(signal);
      const size = (stored.record.value?.length ?? 0) * target.routes.length;
      // A large one goes alone: a send must fit into the topic's max.message.bytes.
      if (batch.length > 0 && bytes + size > BATCH.bytes) await flush();
      batch.push({ stored, routes: target.routes });
      bytes += size;
      if (batch.length >= Math.min(BATCH.deadLetters, perSecond)) await flush();
    }
  }
  if (batch.length > 0) await flush();
  return { replayed, alreadyReplayed, otherConnectors, refused, unreadable: log.unreadable, dryRun };
}

function isOfOther({ deadLetter, record }: StoredDeadLetter, { groupPrefix }: ReplayOptions): boolean {
  const group = record.headers.group?.toString('utf8');
  return group !== undefined && group !== encodeURIComponent(`${groupPrefix}${deadLetter.route ?? ''}`);
}

/** Fences an earlier replay, and finds where each partition ends for this one: at its own claim. */
async function claim(producer: TransactionalProducer, options: ReplayOptions): Promise<LogPart[]> {
  const { client, deadLetters, clock, signal } = options;
  const nonce = randomUUID();
  const headers = { [MARKER_HEADER.claim]: nonce, [MARKER_HEADER.at]: new Date(clock.nowMs()).toISOString() };
  const targets = Array.from({ length: deadLetters.partitions }, (_, partition) => ({
    topic: deadLetters.topic,
    partition,
  }));
  const before = await client.admin.offsets(deadLetters.topic);
  const claimed = await claimPartitions(client, producer, {
    partitions: targets,
    record: { key: null, value: null, headers },
    isOwn: (record) => record.headers[MARKER_HEADER.claim]?.toString('utf8') === nonce,
    from: ({ partition }) => before.find((one) => one.partition === partition)?.end ?? 'start',
    hidden: replayBlocked,
    signal,
    clock,
  });
  return claimed.map(({ topic, partition, offset }) => ({ topic, partition, end: offset }));
}

async function sendBack(
  producer: TransactionalProducer,
  batch: readonly Routed[],
  { firstRetry, deadLetters, clock }: ReplayOptions,
): Promise<void> {
  const sends = new Map<string, { readonly target: TopicPartition; readonly records: OutgoingRecord[] }>();
  const add = (target: TopicPartition, record: OutgoingRecord) => {
    const name = partitionName(target);
    const send = sends.get(name) ?? { target, records: [] };
    send.records.push(record);
    sends.set(name, send);
  };
  const nowMs = clock.nowMs();
  for (const { stored, routes } of batch) {
    const { key, value, partition } = stored.record;
    const retryPartition = key === null ? partition % firstRetry.partitions : partitionFor(key, firstRetry.partitions);
    for (const plan of routes) {
      const headers = replayHeaders(stored, plan, nowMs);
      add({ topic: firstRetry.topic, partition: retryPartition }, { key, value, headers });
    }
    const headers = { [MARKER_HEADER.replayed]: stored.id, [MARKER_HEADER.at]: new Date(nowMs).toISOString() };
    add({ topic: deadLetters.topic, partition }, { key, value: null, headers });
  }
  const transaction = await producer.begin();
  await sendAll(transaction, [...sends.values()]);
  await transaction.commit();
}
