import type { OutgoingHeaders, OutgoingRecord } from '@genesys-kafka/kafka';
import { picks, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';
import {
  DEAD_LETTER_HEADER,
  formatRetryHeaders,
  parseRecord,
  REPLAY_HEADER,
  RETRY_HEADER,
  type RecordReader,
} from '@genesys-kafka/topics';
import type { StoredDeadLetter } from '../letters/stored-dead-letter.ts';

export type ReplayTarget =
  | { readonly kind: 'routes'; readonly routes: readonly RoutePlan[] }
  /** In fixed words: reasons are counted. */
  | { readonly kind: 'refused'; readonly why: string };

export interface ReplayContext {
  readonly plans: readonly RoutePlan[];
  readonly reader: RecordReader;
  readonly signal: AbortSignal;
}

const refused = (why: string): ReplayTarget => ({ kind: 'refused', why });

/** Where a dead letter goes when it is replayed with the configuration of now: back to its route, or to those that pick it by now. */
export async function replayTarget(
  { deadLetter, value, headers }: StoredDeadLetter,
  { plans, reader, signal }: ReplayContext,
): Promise<ReplayTarget> {
  if ('source' in deadLetter.origin) {
    return refused(
      `never was on the main topic (stage ${deadLetter.stage}): correct the cause and export its window with --again`,
    );
  }
  if (deadLetter.omittedBytes !== undefined)
    return refused('has no value: its topic did not take it, it lies at its origin');
  const opened = await reader.open(value(), signal);
  const read = opened.kind === 'record' ? parseRecord(opened) : opened;
  if (read.kind === 'unreadable') return refused(`still cannot be read (${read.cause})`);
  const own = plans.find(({ name }) => name === deadLetter.route);
  if (wasPicked(deadLetter)) {
    return own
      ? { kind: 'routes', routes: [own] }
      : refused('its route is not in the configuration: add one of that name');
  }
  const candidates = deadLetter.cause === 'rule-error' && own ? [own] : plans;
  const withEnvelope = headers();
  const verdicts = candidates.map((plan) => ({ plan, verdict: picks(plan, read.parsed, withEnvelope) }));
  if (verdicts.some(({ verdict }) => 'error' in verdict)) return refused('a rule still fails on it');
  const routes = verdicts.filter(({ verdict }) => 'matched' in verdict && verdict.matched).map(({ plan }) => plan);
  return routes.length > 0 ? { kind: 'routes', routes } : refused('no route picks it');
}

/** By its route: also what could not be given its shape, and a retry that nobody could read any more. */
function wasPicked({ stage, cause, route }: StoredDeadLetter['deadLetter']): boolean {
  return stage === 'deliver' || cause === 'reshape-error' || (stage === 'decode' && route !== UNROUTED);
}

/** Of the envelope, what says nothing true of a record that is on its way again. */
const DROPPED = new Set<string>([
  DEAD_LETTER_HEADER.framing,
  DEAD_LETTER_HEADER.stage,
  DEAD_LETTER_HEADER.reason,
  DEAD_LETTER_HEADER.httpStatus,
  DEAD_LETTER_HEADER.timestamp,
  DEAD_LETTER_HEADER.attempts,
]);

/** What goes to the topic of replays: a record for each route. */
export function retryRecords(letter: StoredDeadLetter, routes: readonly RoutePlan[], nowMs: number): OutgoingRecord[] {
  const { key } = letter;
  const value = letter.value();
  return routes.map((plan) => ({ key, value, headers: replayHeaders(letter, plan, nowMs) }));
}

/** Headers of the retry record: the record's own, attempt 1 anew and due now, and where it comes from. */
function replayHeaders(letter: StoredDeadLetter, plan: RoutePlan, nowMs: number): OutgoingHeaders {
  const { id, deadLetter } = letter;
  if ('source' in deadLetter.origin) throw new Error('a dead letter of the producer has no place in the main topic');
  const headers = letter.headers();
  const kept = Object.entries(headers).filter(([name]) => !DROPPED.has(name));
  const version = headers[RETRY_HEADER.recordVersion]?.toString('utf8') ?? '';
  return {
    ...Object.fromEntries(kept),
    ...formatRetryHeaders({
      route: plan.name,
      group: plan.groupId,
      attempt: 1,
      notBeforeMs: nowMs,
      cause: deadLetter.cause,
      origin: deadLetter.origin,
      recordVersion: /^\d{1,19}$/.test(version) ? BigInt(version) : deadLetter.origin.offset,
    }),
    [REPLAY_HEADER.replayOf]: id,
    [REPLAY_HEADER.priorAttempts]: String(deadLetter.attempts),
    [REPLAY_HEADER.replays]: String(replaysOf(letter) + 1),
  };
}

/** How often a record was replayed before it died as this dead letter. */
export function replaysOf({ headers }: StoredDeadLetter): number {
  const known = headers();
  const told = known[REPLAY_HEADER.replays]?.toString('utf8') ?? '';
  if (/^\d{1,6}$/.test(told)) return Number(told);
  return REPLAY_HEADER.replayOf in known ? 1 : 0;
}
