import { bodyOf, printableText } from '@genesys-kafka/topics';
import type { DeadLetterFilter, DeadLetterLog, StoredDeadLetter } from './dead-letter-log.ts';
import { DeadLetterError } from './errors.ts';

/** A dead letter without its value, fit to be printed. */
export interface DeadLetterSummary {
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

export interface DeadLetterList {
  readonly letters: readonly DeadLetterSummary[];
  /** True where the limit cut the list short. */
  readonly more: boolean;
}

export interface DeadLetterDetails extends DeadLetterSummary {
  readonly headers: Readonly<Record<string, string>>;
  /** The value's bytes: text where they are UTF-8 after the frame, otherwise base64 of all. */
  readonly value: { readonly text: string } | { readonly base64: string } | null;
}

export interface DeadLetterStats {
  readonly letters: number;
  readonly replayed: number;
  /** Records of the topic that are no dead letters of this program. */
  readonly unreadable: number;
  readonly byRoute: Readonly<Record<string, number>>;
  readonly byStage: Readonly<Record<string, number>>;
  readonly byCause: Readonly<Record<string, number>>;
}

export async function listDeadLetters(
  log: DeadLetterLog,
  filter: DeadLetterFilter,
  limit: number,
): Promise<DeadLetterList> {
  const letters: DeadLetterSummary[] = [];
  for await (const stored of log.deadLetters(filter)) {
    if (letters.length === limit) return { letters, more: true };
    letters.push(summaryOf(stored));
  }
  return { letters, more: false };
}

/** Rejects with `dead-letter-missing`. */
export async function showDeadLetter(log: DeadLetterLog, id: string): Promise<DeadLetterDetails> {
  for await (const stored of log.deadLetters()) if (stored.id === id) return detailsOf(stored);
  throw new DeadLetterError('dead-letter-missing', `There is no dead letter ${printableText(id, 200)}.`);
}

export async function countDeadLetters(log: DeadLetterLog, filter: DeadLetterFilter): Promise<DeadLetterStats> {
  let [letters, replayed] = [0, 0];
  const by = { route: new Map<string, number>(), stage: new Map<string, number>(), cause: new Map<string, number>() };
  const count = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
  for await (const { deadLetter, replayedAt } of log.deadLetters(filter)) {
    letters += 1;
    if (replayedAt !== undefined) replayed += 1;
    count(by.route, deadLetter.route ?? 'producer');
    count(by.stage, deadLetter.stage);
    count(by.cause, deadLetter.cause);
  }
  return {
    letters,
    replayed,
    unreadable: log.unreadable,
    byRoute: Object.fromEntries(by.route),
    byStage: Object.fromEntries(by.stage),
    byCause: Object.fromEntries(by.cause),
  };
}

function summaryOf({ id, deadLetter, record, replayedAt }: StoredDeadLetter): DeadLetterSummary {
  const { origin, timestampMs, ...rest } = deadLetter;
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

function detailsOf(stored: StoredDeadLetter): DeadLetterDetails {
  const { headers } = stored.record;
  const texts = Object.entries(headers).map(([name, value]) => [name, printableText(value.toString('utf8'))]);
  return { ...summaryOf(stored), headers: Object.fromEntries(texts) as Record<string, string>, value: valueOf(stored) };
}

function valueOf({ deadLetter, record: { value } }: StoredDeadLetter): DeadLetterDetails['value'] {
  if (value === null) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { text: text.decode(bodyOf(value, deadLetter.framing)) };
  } catch {
    return { base64: value.toString('base64') };
  }
}
