import type { KafkaAdmin, KafkaClient, PartitionOffsets } from '@genesys-kafka/kafka';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { LedgerError } from './errors.ts';
import { readTopicsEntry, topicsKey, topicsPartition, type TopicsEntry } from './topics-entry.ts';

/** Names of the topics that belong together. */
export interface LedgerTopics {
  readonly data: string;
  readonly deadLetters: string;
  readonly ledger: string;
}

/** What whoever starts the program has said to know of. */
export interface AcceptedChanges {
  /** Begin a new ledger beside records that are published: what is exported again is published again. */
  readonly newLedger?: boolean | undefined;
  /** Go on with another number of partitions: keys move. */
  readonly partitions?: boolean | undefined;
}

/** The topics as they were found, for `recordTopics`. */
export interface KnownTopics {
  readonly entry: TopicsEntry | undefined;
  /** First offsets of the ledger's partitions; none where it does not exist. */
  readonly ledgerStarts: readonly string[];
}

type GuardClient = Pick<KafkaClient, 'read'> & { readonly admin: Pick<KafkaAdmin, 'describeTopic' | 'offsets'> };

/**
 * Holds the topics against the ledger, before any is made: a ledger that is gone would be made again, empty, and
 * everything published twice; a data topic that is gone would be made again while the ledger says `done`; with other
 * partitions, keys move. Changes nothing. Rejects with the LedgerErrors `ledger-missing`, `data-missing`,
 * `partitions-changed` and `ledger-unreadable`, or with a KafkaError.
 */
export async function checkLedgerTopics(
  client: GuardClient,
  topics: LedgerTopics,
  options: { readonly accepted?: AcceptedChanges; readonly signal?: AbortSignal } = {},
): Promise<KnownTopics> {
  const { admin } = client;
  const { accepted = {}, signal } = options;
  const [data, ledger, deadLetters] = await Promise.all([
    admin.describeTopic(topics.data),
    offsetsOf(admin, topics.ledger),
    offsetsOf(admin, topics.deadLetters),
  ]);
  const published = data ? await admin.offsets(topics.data) : [];
  if (!hasHeldRecords(ledger)) {
    const holder = [
      { name: topics.data, offsets: published },
      { name: topics.deadLetters, offsets: deadLetters },
    ].find(({ offsets }) => hasHeldRecords(offsets));
    if (holder && !accepted.newLedger) throw ledgerGone(topics.ledger, holder.name, ledger !== undefined);
    return { entry: undefined, ledgerStarts: startsOf(ledger) };
  }
  const entry = await readTopicsEntry(client, topics, signal);
  const ledgerStarts = startsOf(ledger);
  // It is written before all else: whoever was at work while the ledger was made anew has gone on in it.
  if (!entry && hasHeldRecords(published) && !accepted.newLedger) throw ledgerForeign(topics);
  const beheaded = ledger!.find(({ partition, first }) => first > BigInt(entry?.ledgerStarts?.[partition] ?? 0));
  if (beheaded && !accepted.newLedger) throw ledgerCut(topics.ledger, beheaded);
  if (!data) throw dataGone(topics, entry?.partitions);
  if (entry && entry.partitions !== data.partitions && !accepted.partitions) {
    throw partitionsChanged(topics.data, entry.partitions, data.partitions);
  }
  return { entry, ledgerStarts };
}

/** Keeps in the ledger what the next start is held against; writes only what is new. Rejects with a KafkaError. */
export async function recordTopics(
  client: Pick<KafkaClient, 'producer'>,
  { data, ledger }: LedgerTopics,
  { entry, ledgerStarts }: KnownTopics,
  partitions: number,
  clock: Clock = systemClock,
): Promise<void> {
  const isCut = ledgerStarts.some((start) => start !== '0');
  const isKept = entry?.partitions === partitions && (!isCut || String(entry.ledgerStarts) === String(ledgerStarts));
  if (isKept) return;
  const updatedAt = new Date(clock.nowMs()).toISOString();
  const line: TopicsEntry = {
    v: 1,
    kind: 'topics',
    partitions,
    ...(isCut ? { ledgerStarts } : {}),
    updatedAt,
  };
  // Whoever starts first writes it, and all write the same: the one key without a lane.
  const producer = client.producer();
  try {
    const record = { key: topicsKey(data), value: Buffer.from(JSON.stringify(line)) };
    await producer.send(topicsPartition(ledger), [record]);
  } finally {
    await producer.close();
  }
}

/** Undefined for a topic that does not exist. */
async function offsetsOf(
  admin: Pick<KafkaAdmin, 'describeTopic' | 'offsets'>,
  topic: string,
): Promise<readonly PartitionOffsets[] | undefined> {
  return (await admin.describeTopic(topic)) ? admin.offsets(topic) : undefined;
}

/** Also where they are deleted by now: what was published once must not be published again. */
function hasHeldRecords(offsets: readonly PartitionOffsets[] | undefined): boolean {
  return offsets?.some(({ end }) => end > 0n) ?? false;
}

function startsOf(offsets: readonly PartitionOffsets[] | undefined): string[] {
  return (offsets ?? []).toSorted((a, b) => a.partition - b.partition).map(({ first }) => String(first));
}

function ledgerGone(ledger: string, holder: string, isThere: boolean): LedgerError {
  const what = isThere ? 'is empty' : 'does not exist';
  return new LedgerError('ledger-missing', `${ledger} ${what}, and ${holder} holds or held records.`);
}

function ledgerForeign({ data, ledger }: LedgerTopics): LedgerError {
  const what = `${ledger} lacks its first line, about ${data}: it was made anew after records were published there.`;
  return new LedgerError('ledger-missing', what);
}

function ledgerCut(ledger: string, { partition, first }: PartitionOffsets): LedgerError {
  const what = `The first ${first} offsets of ${ledger} partition ${partition} were deleted, and entries with them.`;
  return new LedgerError('ledger-missing', what);
}

function dataGone({ data, ledger }: LedgerTopics, partitions: number | undefined): LedgerError {
  const what = `${data} does not exist, and ${ledger} says what was published to it.`;
  const facts = partitions === undefined ? {} : { details: { partitions } };
  return new LedgerError('data-missing', what, facts);
}

function partitionsChanged(data: string, before: number, now: number): LedgerError {
  const what = `${data} has ${now} partitions, and had ${before} when records were published to it: keys would move.`;
  return new LedgerError('partitions-changed', what, { details: { before, now } });
}
