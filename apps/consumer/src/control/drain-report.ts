import type { ConsumedRecord, KafkaAdmin, KafkaClient, TopicPartition } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import { TopicsError, parseRetryHeaders } from '@genesys-kafka/topics';
import { committedIn } from '../group/commit-note.ts';

/** What a route has before it in one partition. */
export interface Left {
  readonly topic: string;
  readonly partition: number;
  /** 0 for the main topic, n for `retry-n`; absent for replays. */
  readonly tier?: number;
  /** Where its group stands, and where the log ends. */
  readonly position: number;
  readonly end: number;
  readonly records: number;
  /** False where only the beginning was read, and the rest reckoned from it. */
  readonly isExact: boolean;
  /** Offsets before `position` that were deleted before the group read them: the run stops there, with `records-gone`. */
  readonly deletedUnread?: number;
  /** ISO 8601: when the oldest of them came onto this topic. */
  readonly oldest?: string;
  /** Of retries: when the first of them is due. */
  readonly due?: string;
}

export interface RouteLeft {
  readonly route: string;
  readonly records: number;
  readonly oldestSeconds: number;
  readonly paused: boolean;
  /** False while its group has committed nothing on the main topic: it has never run, or only just. */
  readonly begun: boolean;
  readonly left: readonly Left[];
}

export interface DrainReport {
  readonly records: number;
  readonly routes: readonly RouteLeft[];
}

/** A route and its group, as the report asks for them. */
export interface ReportedRoute {
  readonly route: string;
  readonly groupId: string;
  readonly paused: boolean;
  /** Where it begins without a committed offset, if not at the log's start. */
  readonly startOf: (target: TopicPartition) => bigint | undefined;
  /** Whether a record of a retry topic is this route's. */
  readonly owns: (record: ConsumedRecord) => boolean;
}

export interface DrainReportOptions {
  readonly client: Pick<KafkaClient, 'read'> & {
    readonly admin: Pick<KafkaAdmin, 'offsets' | 'groupCommits' | 'topicId'>;
  };
  readonly routes: readonly ReportedRoute[];
  /** The main topic first, then the retry topics. */
  readonly topics: readonly string[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** So much of a partition is read, in fetches of up to 4 MiB; beyond, the rest is reckoned. */
const MOST_SLICES = 32;

/**
 * What is left of each route and where, asked of the brokers and read: on the main topic all records that its group has
 * not passed, whether its rule picks them or not, and on the retry topics those of its own. Changes nothing.
 */
export async function drainReport(options: DrainReportOptions): Promise<DrainReport> {
  const { client, routes, topics, clock } = options;
  const left = new Map<string, Left[]>(routes.map(({ route }) => [route, []]));
  const begun = new Set<string>();
  for (const topic of topics) {
    const isMain = topic === topics[0];
    // Commits first: a record that comes between the two questions counts as left.
    const groups = routes.map(({ groupId }) => groupId);
    const committed = await committedIn(client.admin, groups, topic);
    for (const [index, { route }] of routes.entries()) if (isMain && committed[index]!.size > 0) begun.add(route);
    for (const { partition, first, end } of await client.admin.offsets(topic)) {
      const target = { topic, partition };
      const standing = routes.map((one, index) => {
        const known = committed[index]!.get(partition) ?? one.startOf(target) ?? first;
        return new Standing(one, { known, first, end }, isMain);
      });
      await readInto(standing, target, end, options);
      for (const one of standing) {
        const found = one.left(target);
        if (found.records > 0 || found.deletedUnread !== undefined) left.get(one.route)!.push(found);
      }
    }
  }
  const found = routes.map(({ route, paused }) => ({
    ...{ route, paused, begun: begun.has(route) },
    ...countsOf(left.get(route)!, clock.nowMs()),
  }));
  return { records: found.reduce((sum, { records }) => sum + records, 0), routes: found };
}

/** One route in one partition, as its records are counted. */
class Standing {
  readonly route: string;
  readonly position: bigint;
  readonly #reported: ReportedRoute;
  readonly #end: bigint;
  readonly #deletedUnread: number;
  readonly #isMain: boolean;
  #records = 0;
  #oldestMs = Infinity;
  #dueMs = Infinity;
  #readTo: bigint;

  constructor(
    reported: ReportedRoute,
    { known, first, end }: { readonly known: bigint; readonly first: bigint; readonly end: bigint },
    isMain: boolean,
  ) {
    this.route = reported.route;
    this.#reported = reported;
    this.position = known > first ? known : first;
    this.#end = end;
    this.#deletedUnread = Number(this.position - known);
    this.#isMain = isMain;
    this.#readTo = this.position;
  }

  count(records: readonly ConsumedRecord[], nextOffset: bigint): void {
    if (nextOffset > this.#readTo) this.#readTo = nextOffset;
    for (const record of records) {
      if (record.offset < this.position || record.offset >= this.#end) continue;
      if (!this.#isMain && !this.#reported.owns(record)) continue;
      this.#records += 1;
      this.#oldestMs = Math.min(this.#oldestMs, record.timestampMs);
      if (!this.#isMain) this.#dueMs = Math.min(this.#dueMs, dueMsOf(record));
    }
  }

  left({ topic, partition }: TopicPartition): Left {
    const read = Number(this.#readTo - this.position);
    const beyond = Math.max(0, Number(this.#end - this.#readTo));
    const density = read > 0 ? this.#records / read : 1;
    return {
      topic,
      partition,
      ...tierOf(topic, this.#isMain),
      position: Number(this.position),
      end: Number(this.#end),
      records: this.#records + Math.ceil(beyond * density),
      isExact: beyond === 0,
      ...(this.#deletedUnread > 0 ? { deletedUnread: this.#deletedUnread } : {}),
      ...(Number.isFinite(this.#oldestMs) ? { oldest: new Date(this.#oldestMs).toISOString() } : {}),
      ...(Number.isFinite(this.#dueMs) ? { due: new Date(this.#dueMs).toISOString() } : {}),
    };
  }
}

function tierOf(topic: string, isMain: boolean): Pick<Left, 'tier'> {
  if (isMain) return { tier: 0 };
  const tier = /\bretry-(\d+)$/.exec(topic)?.[1];
  return tier === undefined ? {} : { tier: Number(tier) };
}

async function readInto(
  standing: readonly Standing[],
  target: TopicPartition,
  end: bigint,
  { client, signal }: DrainReportOptions,
): Promise<void> {
  const lowest = standing.reduce((low, { position }) => (position < low ? position : low), end);
  if (lowest >= end) return;
  let slices = 0;
  for await (const { records, nextOffset } of client.read(target, { from: lowest, signal, maxWaitMs: 100 })) {
    for (const one of standing) one.count(records, nextOffset);
    slices += 1;
    if (nextOffset >= end || slices >= MOST_SLICES) return;
  }
}

function countsOf(left: readonly Left[], nowMs: number): Pick<RouteLeft, 'records' | 'oldestSeconds' | 'left'> {
  const oldest = left.flatMap((one) => (one.oldest === undefined ? [] : [Date.parse(one.oldest)]));
  return {
    records: left.reduce((sum, { records }) => sum + records, 0),
    oldestSeconds: oldest.length === 0 ? 0 : Math.max(0, Math.round((nowMs - Math.min(...oldest)) / 1000)),
    left,
  };
}

function dueMsOf(record: ConsumedRecord): number {
  try {
    return parseRetryHeaders(record.headers).notBeforeMs;
  } catch (error) {
    if (error instanceof TopicsError) return Infinity;
    throw error;
  }
}

/** Nothing is left, and nothing was lost. */
export function isDrained({ routes }: Pick<DrainReport, 'routes'>): boolean {
  return routes.every(({ left }) => left.length === 0);
}

/** For people. */
export function drainLines({ records, routes }: DrainReport): string[] {
  const lines = routes.flatMap(({ route, records: count, oldestSeconds, paused, begun, left }) => [
    [
      `${route}: ${count === 0 ? 'nothing left' : `${count} records left, the oldest for ${oldestSeconds} s`}`,
      ...(paused ? ['paused'] : []),
      ...(begun ? [] : ['not begun yet']),
    ].join(', '),
    ...left.map(({ topic, partition, position, end, records: here, isExact, deletedUnread, due }) => {
      const about = isExact ? '' : 'about ';
      const gone = deletedUnread === undefined ? '' : `, and ${deletedUnread} offsets before it were deleted unread`;
      return `  ${topic} ${partition}: ${about}${here} from ${position} to ${end}${gone}${due === undefined ? '' : `, due ${due}`}`;
    }),
  ]);
  if (isDrained({ routes })) return [...lines, 'All routes are drained.'];
  return [...lines, `${records} records left in all.`];
}
