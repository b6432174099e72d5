import { randomUUID } from 'node:crypto';
import {
  claimPartitions,
  KafkaError,
  recordBytes,
  type KafkaClient,
  type OutgoingRecord,
  type TransactionalProducer,
} from '@genesys-kafka/kafka';
import { SlidingWindow } from '@genesys-kafka/resilience';
import type { RoutePlan } from '@genesys-kafka/routing';
import { MARKER_HEADER, type RecordReader, type TopicSize } from '@genesys-kafka/topics';
import { replayBlocked, replayTakenOver } from '../errors.ts';
import { Letters } from '../letters/letters.ts';
import type { ObjectLetters } from '../letters/object-letters.ts';
import {
  markReplayed,
  noMarks,
  type LetterFilter,
  type LetterMarks,
  type LetterStore,
  type StoredDeadLetter,
} from '../letters/stored-dead-letter.ts';
import { openTopicLetters, TopicLetters } from '../letters/topic-letters.ts';
import type { LetterPlace } from '../objects/letter-place.ts';
import { joinReplayed, writeReplayed } from '../objects/object-marks.ts';
import { sendBack, settlePending, type BatchPorts, type Routed } from './replay-batch.ts';
import { replaysOf, replayTarget, retryRecords } from './replay-target.ts';

export interface ReplayOptions extends BatchPorts {
  readonly objects: (LetterPlace & { readonly letters: ObjectLetters }) | undefined;
  readonly client: KafkaClient;
  readonly plans: readonly RoutePlan[];
  readonly reader: RecordReader;
  /** Whether the topic of replays is large enough for a record. */
  readonly takes: (record: OutgoingRecord) => boolean;
  /** In front of the route in a group id: another connector's dead letters in the same place are left alone. */
  readonly groupPrefix: string;
  /** The dead-letter topic, read where it exists, written to or not. */
  readonly topic: string;
  readonly filter: LetterFilter;
  readonly perSecond: number;
  /** One of the stores; both where it is left out. Marks count in both. */
  readonly looksIn?: 'topic' | 'objects' | undefined;
  /** No more than so many. */
  readonly max: number;
  /** A dead letter that was replayed so often before is left. */
  readonly mostReplays: number;
  /** Replays again what was replayed before this moment and not since, and that alone; milliseconds since the epoch. */
  readonly againBeforeMs: number | undefined;
  /** Says what would be done, and writes nothing. */
  readonly dryRun: boolean;
  readonly onProgress: (replayed: number) => void;
}

export interface ReplayReport {
  /** Dead letters sent back; with a dry run, that would be. */
  readonly replayed: number;
  /** Replayed by an earlier command, and not again by this one. */
  readonly alreadyReplayed: number;
  readonly otherConnectors: number;
  /** Not replayed, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** What lies there and is no dead letter of this program. */
  readonly unreadable: number;
  /** True where `max` left some for the next time. */
  readonly more: boolean;
  readonly dryRun: boolean;
}

/** What one transaction replays at most, and never more than a second's worth. */
const BATCH = { deadLetters: 1000, bytes: 4 * 1024 * 1024 };

/**
 * Sends dead letters back to their routes by the topic of replays, each identity once, whatever is interrupted, however
 * often the command is repeated, and from whichever store: retry records and marks are one transaction. Before it
 * reads, it takes over from any earlier replay and reads up to its own claim, so that nothing committed is overlooked.
 * After a failure the same command goes on where the marks stand.
 */
export async function replayDeadLetters(options: ReplayOptions): Promise<ReplayReport> {
  const { client, objects, dryRun, signal } = options;
  if (dryRun) {
    const stores = await storesOf(options, await openTopicLetters(client, options.topic, signal));
    return walk(options, stores.letters, stores.marks, async (_, done) => done());
  }
  const producer = client.transactionalProducer(options.transactionalId);
  try {
    const topic = await takeOver(producer, options);
    if (objects) await settlePending(objects, options);
    const { letters, marks, untold } = await storesOf(options, topic);
    // What a replay has marked in the topic alone before it ended; the topic forgets.
    if (objects) await writeReplayed(objects, untold, signal);
    const send: Send = async (batch, done) => sendBack(producer, batch, options, done);
    const report = await walk(options, letters, marks, send);
    if (objects) await joinReplayed(objects, signal);
    return report;
  } catch (error) {
    const isFenced = error instanceof KafkaError && error.code === 'producer-fenced-or-timed-out';
    throw isFenced ? replayTakenOver(error) : error;
  } finally {
    await producer.close();
  }
}

interface Stores {
  readonly letters: Letters;
  readonly marks: LetterMarks;
  /** Marked in the topic, and not in the storage. */
  readonly untold: readonly { readonly id: string; readonly at: string }[];
}

async function storesOf({ objects, filter, looksIn }: ReplayOptions, topic: LetterStore): Promise<Stores> {
  const marks = noMarks();
  await topic.readMarks(marks, filter);
  if (!objects) return { letters: new Letters([topic]), marks, untold: [] };
  const store = objects.letters;
  const told = noMarks();
  await store.readMarks(told);
  const untold = [...marks.replayed]
    .filter(([id, at]) => at > (told.replayed.get(id) ?? ''))
    .map(([id, at]) => ({ id, at }));
  for (const [id, at] of told.replayed) markReplayed(marks, id, at);
  const stores = [topic, store].filter((one) => looksIn === undefined || (looksIn === 'topic') === (one === topic));
  return { letters: new Letters(stores), marks, untold };
}

/** `done` is called once the batch is replayed; what is still to be written down then may fail. */
type Send = (batch: readonly Routed[], done: () => void) => Promise<void>;

async function walk(options: ReplayOptions, letters: Letters, marks: LetterMarks, send: Send): Promise<ReplayReport> {
  const { filter, takes, perSecond, max, dryRun, clock, signal, onProgress } = options;
  const pace = new SlidingWindow({ max: perSecond, perMs: 1000, clock });
  const refused: Record<string, number> = {};
  const refuse = (why: string) => (refused[why] = (refused[why] ?? 0) + 1);
  let [replayed, alreadyReplayed, otherConnectors, bytes, more] = [0, 0, 0, 0, false];
  let batch: Routed[] = [];
  const flush = async () => {
    await send(batch, () => onProgress((replayed += batch.length)));
    [batch, bytes] = [[], 0];
  };
  const meant = options.againBeforeMs === undefined ? filter : { ...filter, state: 'replayed' as const };
  for await (const stored of letters.walk(meant, marks)) {
    if (isOfOther(stored, options)) otherConnectors += 1;
    else if (isDone(stored, options)) alreadyReplayed += 1;
    else if (replaysOf(stored) >= options.mostReplays) refuse(cameBack(options.mostReplays));
    else {
      const target = await replayTarget(stored, options);
      if (target.kind === 'refused') {
        refuse(target.why);
        continue;
      }
      const records = retryRecords(stored, target.routes, clock.nowMs());
      if (!records.every(takes)) {
        refuse('is more than the topic of replays takes');
        continue;
      }
      if (replayed + batch.length >= max) {
        more = true;
        break;
      }
      if (!dryRun) await pace.acquire(signal);
      // A large one goes alone: a send must fit into the topic's max.message.bytes.
      const size = records.reduce((sum, record) => sum + recordBytes(record), 0);
      if (batch.length > 0 && bytes + size > BATCH.bytes) await flush();
      batch.push({ stored, records });
      bytes += size;
      if (batch.length >= Math.min(BATCH.deadLetters, perSecond)) await flush();
    }
  }
  if (batch.length > 0) await flush();
  return { replayed, alreadyReplayed, otherConnectors, refused, unreadable: letters.unreadable, more, dryRun };
}

function cameBack(mostReplays: number): string {
  const times = mostReplays === 1 ? 'once' : `${mostReplays} times`;
  return `was replayed ${times} and died again each time: mend the cause, and give --force`;
}

function isDone({ replayedAt }: StoredDeadLetter, { againBeforeMs }: ReplayOptions): boolean {
  if (replayedAt === undefined) return false;
  return againBeforeMs === undefined || !(Date.parse(replayedAt) < againBeforeMs);
}

function isOfOther({ deadLetter, headers }: StoredDeadLetter, { groupPrefix }: ReplayOptions): boolean {
  const group = headers().group?.toString('utf8');
  return group !== undefined && group !== encodeURIComponent(`${groupPrefix}${deadLetter.route ?? ''}`);
}

/** Fences an earlier replay. Where the topic takes marks, finds where each partition ends: at a claim of its own. */
async function takeOver(producer: TransactionalProducer, options: ReplayOptions): Promise<TopicLetters> {
  const { client, topic, deadLetters, signal } = options;
  if (deadLetters) return new TopicLetters(client, await claim(producer, deadLetters, options), signal);
  // To begin is to fence, and what another has begun is over then.
  await (await producer.begin()).abort();
  return openTopicLetters(client, topic, signal);
}

async function claim(
  producer: TransactionalProducer,
  { topic, partitions }: TopicSize,
  { client, clock, signal }: ReplayOptions,
) {
  const nonce = randomUUID();
  const headers = { [MARKER_HEADER.claim]: nonce, [MARKER_HEADER.at]: new Date(clock.nowMs()).toISOString() };
  const before = await client.admin.offsets(topic);
  const claimed = await claimPartitions(client, producer, {
    partitions: Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    record: { key: null, value: null, headers },
    isOwn: (record) => record.headers[MARKER_HEADER.claim]?.toString('utf8') === nonce,
    from: ({ partition }) => before.find((one) => one.partition === partition)?.end ?? 'start',
    hidden: replayBlocked,
    signal,
    clock,
  });
  return claimed.map(({ partition, offset }) => ({ topic, partition, end: offset }));
}
