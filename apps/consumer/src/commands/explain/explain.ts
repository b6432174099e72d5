import type { Letters, StoredDeadLetter } from '@genesys-kafka/dead-letters';
import type { ConsumedRecord, KafkaClient } from '@genesys-kafka/kafka';
import type { LedgerLine } from '@genesys-kafka/ledger';
import { OperationalError, type Clock } from '@genesys-kafka/resilience';
import { picks, picksUnrouted, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';
import {
  bodyOf,
  deadLetterIdentity,
  framingOf,
  idempotencyKey,
  parseRecord,
  parseRecordHeaders,
  parseRetryHeaders,
  TopicsError,
  type RecordOrigin,
  type TopicPosition,
} from '@genesys-kafka/topics';
import type { PauseEntry } from '../../control/control-entry.ts';
import { fateOf, type Fate, type FateFacts, type RetryFact } from './fate.ts';
import { recordsOfKey, type Found, type ReadSpan } from './records-of-key.ts';

export interface ExplainPorts {
  readonly client: KafkaClient;
  readonly main: string;
  /** All of them that exist. */
  readonly retries: readonly string[];
  /** Among them: the topic of replays. */
  readonly replays: string;
  readonly plans: readonly RoutePlan[];
  readonly unroutedGroup: string;
  /** Where a group began on the main topic, if not at its start, by partition. */
  readonly startOf: (group: string) => ReadonlyMap<number, bigint> | undefined;
  readonly pauseOf: (group: string) => Pick<PauseEntry, 'at' | 'by' | 'reason'> | undefined;
  /** Reading them ends with the reason of `lettersUntil`, also where none is of the key. */
  readonly letters: Letters;
  readonly lettersUntil: AbortSignal;
  /** What the ledger holds of all windows; none where there is no ledger. */
  readonly ledger: readonly LedgerLine[];
  readonly withPayload: boolean;
  readonly withinMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One record of the key: where it came from, and what became of it. */
export interface Version {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** ISO 8601. */
  readonly publishedAt: string;
  readonly bytes: number;
  /** Of several versions, the one that wins by `data-availability-date` and `job-submitted-at`. */
  readonly newest: boolean;
  readonly idempotencyKey: string;
  /** What its headers say: source, ordinal, window, job, dates, digest. */
  readonly origin: RecordOrigin;
  /** The state of its window in the ledger. */
  readonly window?: { readonly state: string; readonly contract: string; readonly updatedAt: string };
  readonly routes: readonly ({
    readonly route: string;
    readonly sink?: string;
    readonly picksNow: boolean | string;
  } & Fate)[];
  readonly payload?: string;
}

export interface LetterBrief {
  readonly id: string;
  readonly stage: string;
  readonly cause: string;
  readonly reason: string;
  readonly attempts: number;
  readonly timestamp: string;
  readonly route?: string;
  readonly replayedAt?: string;
}

export interface Explanation {
  readonly key: string;
  readonly versions: readonly Version[];
  /** Dead letters of the key that belong to none of the versions: of the producer, or of records that are gone from the topic. */
  readonly otherLetters: readonly LetterBrief[];
  /** How far each partition was read. */
  readonly read: readonly ReadSpan[];
  readonly notes: readonly string[];
}

/** All that headers, ledger, groups and stores tell of one key. Reads the partitions that the key is in, and joins no group. */
export async function explain(key: string, ports: ExplainPorts): Promise<Explanation> {
  const { client, clock, signal, withinMs } = ports;
  const search = { client, clock, signal, deadlineMs: clock.monotonicMs() + withinMs };
  const [{ letters, purged, missed }, main, ...retried] = await Promise.all([
    lettersOf(key, ports),
    ...[ports.main, ...ports.retries].map(async (topic) => recordsOfKey(topic, key, search)),
  ]);
  const retries = await retriesOf(retried, ports);
  const gaps = await gapsOf(retried, ports);
  const commits = main!.span ? await commitsOf(ports, ports.main) : new Map<string, ReadonlyMap<number, bigint>>();
  const isCut = retried.some(({ span }) => span?.complete === false);
  const unseen = missed !== undefined ? 'not all dead letters' : isCut ? 'not all retries' : undefined;
  const newest = newestOf(main!.records);
  const versions = main!.records.map((record) => {
    const routes = routesOf(record, {
      plans: ports.plans,
      unroutedGroup: ports.unroutedGroup,
      startOf: ports.startOf,
      commits,
      retries,
      gaps,
      unseen,
      purged,
      replays: ports.replays,
      letters,
    });
    return versionOf(record, routes, record === newest, ports);
  });
  const places = new Set(versions.map(({ partition, offset }) => `${partition}/${offset}`));
  const others = letters.filter(
    ({ deadLetter: { origin } }) => !('offset' in origin && places.has(`${origin.partition}/${origin.offset}`)),
  );
  const read = [main!, ...retried].flatMap(({ span }) => span ?? []);
  return {
    key,
    versions,
    otherLetters: others.map(briefOf),
    read,
    notes: [...pausesOf(ports), ...notesOf(main!, read, missed)],
  };
}

async function lettersOf(key: string, { letters, lettersUntil, signal }: ExplainPorts) {
  const found: StoredDeadLetter[] = [];
  /** Of records and routes, by identity: when the dead letter was replayed before it was purged; empty where it was not. */
  const purged = new Map<string, string>();
  /** Why not all were looked at. */
  let missed: string | undefined;
  try {
    const marks = await letters.marks({ key });
    for (const id of marks.purged.keys()) purged.set(withoutAttempts(id), marks.replayed.get(id) ?? '');
    for await (const letter of letters.walk({ key }, marks)) found.push(letter);
  } catch (error) {
    signal.throwIfAborted();
    const isAway = error instanceof OperationalError && error.code === 'letter-store-away';
    if (!lettersUntil.aborted && !isAway) throw error;
    missed = lettersUntil.aborted ? 'give it more time with --within.' : (error as Error).message;
  }
  found.sort((a, b) => a.deadLetter.attempts - b.deadLetter.attempts);
  return { letters: found, purged, missed };
}

/** Of a dead letter's identity, the record and the route. */
function withoutAttempts(id: string): string {
  return id.slice(0, id.lastIndexOf('/'));
}

interface PlacedRetry extends RetryFact {
  readonly group: string;
  readonly origin: TopicPosition;
}

async function retriesOf(found: readonly Found[], ports: ExplainPorts): Promise<PlacedRetry[]> {
  const retries: PlacedRetry[] = [];
  for (const { records } of found) {
    if (records.length === 0) continue;
    const commits = await commitsOf(ports, records[0]!.topic);
    for (const { topic, partition, offset, headers } of records) {
      const state = retryState(headers);
      if (!state) continue;
      const { group, origin, attempt, cause, notBeforeMs } = state;
      const committed = commits.get(group)?.get(partition);
      const settled = committed !== undefined && committed > offset;
      retries.push({ topic, group, origin, attempt, cause, notBefore: new Date(notBeforeMs).toISOString(), settled });
    }
  }
  return retries;
}

/** Where a group has to go on, and the log begins later. */
interface Gap {
  readonly group: string;
  readonly topic: string;
  readonly text: string;
}

async function gapsOf(found: readonly Found[], ports: ExplainPorts): Promise<Gap[]> {
  const gaps: Gap[] = [];
  for (const { span } of found) {
    if (!span || span.from === '0') continue;
    for (const [group, offsets] of await commitsOf(ports, span.topic)) {
      const committed = offsets.get(span.partition);
      if (committed === undefined || committed >= BigInt(span.from)) continue;
      const { topic, partition, from } = span;
      const text = `${topic} partition ${partition} begins at offset ${from}, and its route has read up to ${committed}`;
      gaps.push({ group, topic, text });
    }
  }
  return gaps;
}

function retryState(headers: ConsumedRecord['headers']) {
  try {
    return parseRetryHeaders(headers);
  } catch (error) {
    if (error instanceof TopicsError) return undefined;
    throw error;
  }
}

/** By group and partition. */
type Commits = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

async function commitsOf({ client, plans, unroutedGroup }: ExplainPorts, topic: string): Promise<Commits> {
  const groups = [...plans.map(({ groupId }) => groupId), unroutedGroup];
  const entries = groups.map(async (group) => {
    const commits = await client.admin.groupCommits(group, topic);
    const offsets = [...commits].flatMap(([partition, { offset }]) =>
      offset < 0n ? [] : [[partition, offset] as const],
    );
    return [group, new Map(offsets)] as const;
  });
  return new Map(await Promise.all(entries));
}

interface RouteFacts extends Pick<ExplainPorts, 'plans' | 'unroutedGroup' | 'startOf'> {
  readonly commits: Commits;
  readonly retries: readonly PlacedRetry[];
  readonly gaps: readonly Gap[];
  readonly unseen: string | undefined;
  readonly purged: ReadonlyMap<string, string>;
  readonly replays: string;
  readonly letters: readonly StoredDeadLetter[];
}

function routesOf(record: ConsumedRecord, facts: RouteFacts): Version['routes'] {
  const { plans, unroutedGroup } = facts;
  const parsed = parsedOf(record);
  const verdictOf = (plan: RoutePlan): FateFacts['picks'] => {
    if (parsed === undefined) return false;
    const verdict = picks(plan, parsed, record.headers);
    return 'error' in verdict ? { fails: verdict.error } : verdict.matched;
  };
  const takesAll = plans.some(({ rule }) => rule === undefined);
  const isUnrouted = parsed === undefined || (!takesAll && isMatched(picksUnrouted(plans, parsed, record.headers)));
  return [
    ...plans.map((plan) => ({ route: plan.name, group: plan.groupId, sink: plan.sink, verdict: verdictOf(plan) })),
    { route: UNROUTED, group: unroutedGroup, sink: undefined, verdict: isUnrouted },
  ].map(({ route, group, sink, verdict }) => {
    const { partition, offset } = record;
    const isOf = ({ origin }: { readonly origin: StoredDeadLetter['deadLetter']['origin'] }) =>
      'topic' in origin && origin.partition === partition && origin.offset === offset;
    const letters = facts.letters.filter(({ deadLetter }) => deadLetter.route === route && isOf(deadLetter));
    const fate = fateOf({
      picks: verdict,
      committed: facts.commits.get(group)?.get(partition),
      offset,
      begun: facts.startOf(group)?.get(partition),
      unseen: facts.unseen,
      purged: facts.purged.get(withoutAttempts(deadLetterIdentity({ origin: record, route, attempts: 0 }))),
      retries: facts.retries.filter((retry) => retry.group === group && isOf(retry)),
      // What never was a dead letter of the route was not replayed.
      gap: facts.gaps.find((gap) => gap.group === group && (letters.length > 0 || gap.topic !== facts.replays))?.text,
      letters,
    });
    const picksNow = typeof verdict === 'boolean' ? verdict : verdict.fails;
    // It has no rule of its own.
    const why = route === UNROUTED && fate.state === 'not-picked' ? 'A route picks it.' : fate.why;
    return { route, ...(sink === undefined ? {} : { sink }), picksNow, ...fate, why };
  });
}

function isMatched(verdict: ReturnType<typeof picksUnrouted>): boolean {
  return 'matched' in verdict && verdict.matched;
}

/** Undefined for what no rule can be asked about. */
function parsedOf({ value }: ConsumedRecord): unknown {
  if (value === null) return undefined;
  const read = parseRecord({ kind: 'record', body: bodyOf(value, framingOf(value)), contentType: 'application/json' });
  return read.kind === 'json' ? read.parsed : undefined;
}

function versionOf(
  record: ConsumedRecord,
  routes: Version['routes'],
  newest: boolean,
  { ledger, withPayload }: ExplainPorts,
): Version {
  const { topic, partition, offset, timestampMs, value } = record;
  const origin = originOf(record);
  const line = ledger.find((one) => one.kind !== 'run-plan' && one.window === origin.window && isOf(one, origin));
  return {
    topic,
    partition,
    offset: String(offset),
    publishedAt: new Date(timestampMs).toISOString(),
    bytes: value?.length ?? 0,
    newest,
    idempotencyKey: idempotencyKey(origin, record),
    origin,
    ...(line && line.kind !== 'run-plan'
      ? { window: { state: line.state, contract: line.contract, updatedAt: line.updatedAt } }
      : {}),
    routes,
    ...(withPayload && value !== null ? { payload: bodyOf(value, framingOf(value)).toString('utf8') } : {}),
  };
}

/** A window that is read again has another source by then, and one line all the same. */
function isOf(line: LedgerLine, { sourceId }: RecordOrigin): boolean {
  return line.kind === 'run-window' || (line.kind === 'window' && line.source?.id === sourceId);
}

function originOf({ headers }: ConsumedRecord): RecordOrigin {
  try {
    return parseRecordHeaders(headers);
  } catch (error) {
    if (error instanceof TopicsError) return {};
    throw error;
  }
}

function newestOf(records: readonly ConsumedRecord[]): ConsumedRecord | undefined {
  const rank = (record: ConsumedRecord) => {
    const { dataAvailabilityDate, jobSubmittedAt } = originOf(record);
    return [Date.parse(dataAvailabilityDate ?? '') || 0, Date.parse(jobSubmittedAt ?? '') || 0] as const;
  };
  return records.reduce<ConsumedRecord | undefined>((best, record) => {
    if (!best) return record;
    const [[available, submitted], [otherAvailable, otherSubmitted]] = [rank(record), rank(best)];
    if (available !== otherAvailable) return available > otherAvailable ? record : best;
    return submitted >= otherSubmitted ? record : best;
  }, undefined);
}

function briefOf({ id, deadLetter, replayedAt }: StoredDeadLetter): LetterBrief {
  const { stage, cause, reason, attempts, timestampMs, route } = deadLetter;
  return {
    id,
    stage,
    cause,
    reason,
    attempts,
    timestamp: new Date(timestampMs).toISOString(),
    ...(route === undefined ? {} : { route }),
    ...(replayedAt === undefined ? {} : { replayedAt }),
  };
}

const RULES_NOTE =
  'Rules are asked as they are now; below the group’s committed offset a record is settled, whatever rule it was by.';

function pausesOf({ plans, unroutedGroup, pauseOf }: ExplainPorts): string[] {
  const groups = [...plans.map(({ name, groupId }) => [name, groupId] as const), [UNROUTED, unroutedGroup] as const];
  return groups.flatMap(([route, group]) => {
    const pause = pauseOf(group);
    if (!pause) return [];
    const why = pause.reason === undefined ? '' : ` (${pause.reason})`;
    return [
      `Route ${route} is paused since ${pause.at}, by ${pause.by}${why}: what waits there waits for consumer resume ${route}.`,
    ];
  });
}

function notesOf(main: Found, read: readonly ReadSpan[], missed: string | undefined): string[] {
  return [
    ...(main.span ? [] : ['The main topic does not exist.']),
    ...(main.span?.complete && main.records.length === 0
      ? ['A key is a conversationId, spelled as in the record. What retention has deleted is found no more.']
      : []),
    ...read
      .filter(({ complete }) => !complete)
      .map(
        ({ topic, partition, to, end }) =>
          `${topic} partition ${partition} was read up to ${to} of ${end}: give it more time with --within.`,
      ),
    ...(main.leftOut > 0 ? [`${main.leftOut} earlier records of the key are left out.`] : []),
    ...(missed === undefined ? [] : [`Not all dead letters were looked at: ${missed}`]),
    ...(main.records.length === 0 ? [] : [RULES_NOTE]),
  ];
}
