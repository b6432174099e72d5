import {
  openDeadLetterLog,
  replayDeadLetters,
  type DeadLetterLog,
  type LetterFilter,
  type ReplayReport,
  type StoredLetter,
} from '@genesys-kafka/dead-letters';
import { connectKafka } from '@genesys-kafka/kafka';
import { OperationalError, systemClock } from '@genesys-kafka/resilience';
import { planRoutes } from '@genesys-kafka/routing';
import type { Logger } from '@genesys-kafka/runtime';
import { connectOptionalRegistry, SchemaIds } from '@genesys-kafka/schema-registry';
import { printableText } from '@genesys-kafka/topics';
import { consumerSpecs, prepareTopics } from '../forward/topics.ts';
import type { Settings } from '../settings.ts';

/** A dead letter without its value. */
export interface LetterSummary {
  readonly id: string;
  readonly key?: string;
  readonly partition: number;
  readonly offset: string;
  readonly framing: string;
  readonly stage: string;
  readonly cause: string;
  readonly reason: string;
  readonly httpStatus?: number;
  readonly timestamp: string;
  readonly origin: Readonly<Record<string, string | number>>;
  readonly route?: string;
  readonly attempts: number;
  readonly replayedAt?: string;
}

export interface LetterList {
  readonly letters: readonly LetterSummary[];
  /** True where `--limit` cut the list short. */
  readonly more: boolean;
}

export interface LetterDetails extends LetterSummary {
  readonly headers: Readonly<Record<string, string>>;
  /** The value's bytes: text where they are UTF-8 after the frame, otherwise base64 of all. */
  readonly value: { readonly text: string } | { readonly base64: string } | null;
}

export interface LetterStats {
  readonly letters: number;
  readonly replayed: number;
  readonly unreadable: number;
  readonly byRoute: Readonly<Record<string, number>>;
  readonly byStage: Readonly<Record<string, number>>;
  readonly byCause: Readonly<Record<string, number>>;
}

export class LetterMissingError extends OperationalError {
  constructor(id: string) {
    const fix = 'Take the id from: consumer dead-letters list';
    super('dead-letter-missing', `There is no dead letter ${printableText(id, 200)}. ${fix}.`, { scope: 'usage' });
  }
}

interface Session {
  readonly settings: Settings;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export async function listLetters(session: Session, filter: LetterFilter, limit: number): Promise<LetterList> {
  return withLog(session, async (log) => {
    const letters: LetterSummary[] = [];
    for await (const stored of log.letters(filter)) {
      if (letters.length === limit) return { letters, more: true };
      letters.push(summary(stored));
    }
    return { letters, more: false };
  });
}

export async function showLetter(session: Session, id: string): Promise<LetterDetails> {
  return withLog(session, async (log) => {
    for await (const stored of log.letters()) if (stored.id === id) return details(stored);
    throw new LetterMissingError(id);
  });
}

export async function countLetters(session: Session, filter: LetterFilter): Promise<LetterStats> {
  return withLog(session, async (log) => {
    let [letters, replayed] = [0, 0];
    const by = { route: new Map<string, number>(), stage: new Map<string, number>(), cause: new Map<string, number>() };
    const count = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
    for await (const { letter, replayedAt } of log.letters(filter)) {
      letters += 1;
      if (replayedAt !== undefined) replayed += 1;
      count(by.route, letter.route ?? 'producer');
      count(by.stage, letter.stage);
      count(by.cause, letter.cause);
    }
    const table = (map: Map<string, number>) => Object.fromEntries(map);
    const { unreadable } = log;
    return {
      letters,
      replayed,
      unreadable,
      byRoute: table(by.route),
      byStage: table(by.stage),
      byCause: table(by.cause),
    };
  });
}

export interface ReplayCommand {
  readonly filter: LetterFilter;
  readonly perSecond: number;
  readonly dryRun: boolean;
  readonly onProgress: (replayed: number) => void;
}

export async function replayLetters({ settings, log, signal }: Session, command: ReplayCommand): Promise<ReplayReport> {
  const plans = planRoutes(settings);
  const client = connectKafka(settings, log);
  try {
    const { retries, deadLetters } = await prepareTopics(client, settings);
    const registry = connectOptionalRegistry(settings);
    const onFailure = (err: unknown) => log.warn({ err }, 'the registry does not tell a schema; asking again');
    const groupPrefix = `${settings.kafka.topicPrefix}${settings.connector}.`;
    return await replayDeadLetters({
      ...command,
      client,
      plans,
      schemas: registry && new SchemaIds({ registry, clock: systemClock, onFailure }),
      transactionalId: `${groupPrefix}dead-letters.replay`,
      groupPrefix,
      deadLetters,
      firstRetry: retries[0]!,
      clock: systemClock,
      signal,
    });
  } finally {
    await client.close();
  }
}

async function withLog<T>({ settings, log, signal }: Session, use: (log: DeadLetterLog) => Promise<T>): Promise<T> {
  const client = connectKafka(settings, log);
  try {
    return await use(await openDeadLetterLog(client, consumerSpecs(settings).deadLetters.name, signal));
  } finally {
    await client.close();
  }
}

function summary({ id, letter, record, replayedAt }: StoredLetter): LetterSummary {
  const { origin, timestampMs, ...rest } = letter;
  const place =
    'topic' in origin
      ? { topic: origin.topic, partition: origin.partition, offset: String(origin.offset) }
      : { source: origin.source, ordinal: origin.ordinal };
  return {
    id,
    ...(record.key === null ? {} : { key: printableText(record.key.toString('utf8')) }),
    partition: record.partition,
    offset: String(record.offset),
    ...rest,
    timestamp: new Date(timestampMs).toISOString(),
    origin: place,
    ...(replayedAt === undefined ? {} : { replayedAt }),
  };
}

function details(stored: StoredLetter): LetterDetails {
  const { headers } = stored.record;
  const texts = Object.entries(headers).map(([name, value]) => [name, printableText(value.toString('utf8'))]);
  return { ...summary(stored), headers: Object.fromEntries(texts) as Record<string, string>, value: valueOf(stored) };
}

function valueOf({ letter, record: { value } }: StoredLetter): LetterDetails['value'] {
  if (value === null) return null;
  const body = letter.framing === 'confluent' ? value.subarray(5) : value;
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { base64: value.toString('base64') };
  }
}
