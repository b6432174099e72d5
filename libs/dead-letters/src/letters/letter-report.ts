import { bodyOf, printableText } from '@genesys-kafka/topics';
import type { LetterAction } from '../actions/letter-actions.ts';
import { DeadLetterError } from '../errors.ts';
import { routeName } from './letter-filter.ts';
import type { Letters } from './letters.ts';
import type { LetterFilter, StoredDeadLetter } from './stored-dead-letter.ts';

/** A dead letter without its value, fit to be printed. */
export interface DeadLetterSummary {
  readonly id: string;
  readonly key?: string;
  /** Where it lies in the dead-letter topic … */
  readonly partition?: number;
  readonly offset?: string;
  /** … or else the object that holds it. */
  readonly object?: string;
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
  /** What was done last, the latest first. */
  readonly actions: readonly LetterAction[];
}

const LAST_ACTIONS = 10;

export async function listDeadLetters(letters: Letters, filter: LetterFilter, limit: number): Promise<DeadLetterList> {
  const summaries: DeadLetterSummary[] = [];
  for await (const stored of letters.walk(filter)) {
    if (summaries.length === limit) return { letters: summaries, more: true };
    summaries.push(summaryOf(stored));
  }
  return { letters: summaries, more: false };
}

/** Rejects with `dead-letter-missing`. */
export async function showDeadLetter(letters: Letters, id: string): Promise<DeadLetterDetails> {
  for await (const stored of letters.walk()) if (stored.id === id) return detailsOf(stored);
  throw new DeadLetterError('dead-letter-missing', `There is no dead letter ${printableText(id, 200)}.`);
}

export async function countDeadLetters(letters: Letters, filter: LetterFilter): Promise<DeadLetterStats> {
  const marks = await letters.marks(filter);
  let [count, replayed] = [0, 0];
  const by = { route: new Map<string, number>(), stage: new Map<string, number>(), cause: new Map<string, number>() };
  const add = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
  for await (const { deadLetter, replayedAt } of letters.walk(filter, marks)) {
    count += 1;
    if (replayedAt !== undefined) replayed += 1;
    add(by.route, routeName(deadLetter));
    add(by.stage, deadLetter.stage);
    add(by.cause, deadLetter.cause);
  }
  return {
    letters: count,
    replayed,
    unreadable: letters.unreadable,
    byRoute: Object.fromEntries(by.route),
    byStage: Object.fromEntries(by.stage),
    byCause: Object.fromEntries(by.cause),
    actions: lastOf(marks.actions),
  };
}

function summaryOf({ id, deadLetter, key, place: position, replayedAt }: StoredDeadLetter): DeadLetterSummary {
  const { origin, timestampMs, ...rest } = deadLetter;
  const place =
    'topic' in origin
      ? { topic: origin.topic, partition: origin.partition, offset: String(origin.offset) }
      : { source: origin.source, ordinal: origin.ordinal };
  return {
    id,
    ...(key === null ? {} : { key: printableText(key.toString('utf8')) }),
    ...('object' in position ? position : { partition: position.partition, offset: String(position.offset) }),
    ...rest,
    timestamp: new Date(timestampMs).toISOString(),
    origin: place,
    ...(replayedAt === undefined ? {} : { replayedAt }),
  };
}

function detailsOf(stored: StoredDeadLetter): DeadLetterDetails {
  const texts = Object.entries(stored.headers()).map(([name, value]) => [name, printableText(value.toString('utf8'))]);
  return { ...summaryOf(stored), headers: Object.fromEntries(texts) as Record<string, string>, value: valueOf(stored) };
}

function valueOf({ deadLetter, value: make }: StoredDeadLetter): DeadLetterDetails['value'] {
  const value = make();
  if (value === null) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { text: text.decode(bodyOf(value, deadLetter.framing)) };
  } catch {
    return { base64: value.toString('base64') };
  }
}

/** Each once, though both stores tell of it: by its last word. */
function lastOf(actions: readonly LetterAction[]): LetterAction[] {
  const byId = new Map<string, LetterAction>();
  for (const action of actions) {
    const known = byId.get(action.id);
    if (!known || action.state !== 'begun') byId.set(action.id, action);
  }
  return [...byId.values()].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, LAST_ACTIONS);
}
