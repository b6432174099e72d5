import type { KafkaClient, TopicPartition } from '@genesys-kafka/kafka';
import { partitionName } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import type { EndOffsetCache } from '../group/end-offset-cache.ts';
import type { Place } from '../group/held.ts';
import type { RouteGroup } from '../group/route-group.ts';

/** What is left of one route in the partitions that this process has. */
export interface Lag {
  /** Records, without markers of transactions. NaN while nobody knows: an unknown lag must not look like none. */
  readonly records: number;
  /**
   * Age of the oldest record that is known not to be delivered, since it came onto the topic it lies on; 0 where there is
   * none, NaN while nobody knows.
   */
  readonly seconds: number;
}

export interface RouteLagOptions {
  readonly client: Pick<KafkaClient, 'read'>;
  readonly ends: Pick<EndOffsetCache, 'of'>;
  readonly clock: Clock;
}

/** What lies ahead of a partition in which nothing is in hand. */
interface Ahead {
  readonly firstMs: number | undefined;
  /** Records among the offsets that were looked at, and how many those were. */
  readonly records: number;
  readonly offsets: number;
}

/** With the question for the log's end before it, less than whoever asks for the lag may be taken to wait. */
const LOOK_MS = 3000;
/** A topic that could not be looked at is left alone for so long: each route would wait for it in its turn. */
const SILENT_MS = 10_000;
const NONE_IN_HAND: Ahead = { firstMs: undefined, records: 0, offsets: 0 };
const UNKNOWN = { records: Number.NaN, firstMs: undefined };

/**
 * Offsets are taken by markers of transactions and aborted records too. Records in hand are counted one by one; of what
 * is not fetched yet, as many of the offsets count as have been records in this partition so far. Where nothing is in
 * hand and the log goes on, as while a route is paused, it is looked at: once, as it does not change.
 */
export class RouteLag {
  readonly #options: RouteLagOptions;
  readonly #looks = new Map<string, { readonly expected: bigint; readonly end: bigint; readonly ahead: Ahead }>();
  /** Topics that could not be looked at, until when. */
  readonly #silentUntilMs = new Map<string, number>();

  constructor(options: RouteLagOptions) {
    this.#options = options;
  }

  async of(group: Pick<RouteGroup, 'assigned'>, route: string): Promise<Lag> {
    const { assigned = [undefined] } = group;
    const parts = await Promise.all(assigned.map(async (place) => (place ? this.#ofPlace(place, route) : UNKNOWN)));
    const records = parts.reduce((sum, part) => sum + part.records, 0);
    const oldestMs = Math.min(...parts.map(({ firstMs }) => firstMs ?? Infinity));
    if (!Number.isFinite(oldestMs)) return { records, seconds: Number.isNaN(records) ? Number.NaN : 0 };
    return { records, seconds: Math.max(0, this.#options.clock.nowMs() - oldestMs) / 1000 };
  }

  async #ofPlace(
    place: Place,
    route: string,
  ): Promise<{ readonly records: number; readonly firstMs: number | undefined }> {
    const { topic, partition, expected, unfinished, oldestMs, density } = place;
    const ends = await this.#options.ends.of(topic);
    if (ends === undefined) return { records: Number.NaN, firstMs: oldestMs };
    const end = ends.get(partition) ?? expected;
    const left = end > expected ? Number(end - expected) : 0;
    if (left === 0 || unfinished > 0) return { records: unfinished + Math.ceil(left * density), firstMs: oldestMs };
    const ahead = await this.#lookAhead({ topic, partition }, expected, end, route);
    if (!ahead) return UNKNOWN;
    const { records, offsets, firstMs } = ahead;
    const beyond = Math.max(0, left - offsets);
    return { records: records + Math.ceil(beyond * (offsets === 0 ? 1 : records / offsets)), firstMs };
  }

  /** Undefined where the broker does not answer in time. */
  async #lookAhead(target: TopicPartition, expected: bigint, end: bigint, route: string): Promise<Ahead | undefined> {
    const name = `${route} ${partitionName(target)}`;
    const known = this.#looks.get(name);
    // What was found stays the first one there; where none was, only a log that has grown has news.
    if (known?.expected === expected && (known.ahead.firstMs !== undefined || known.end >= end)) return known.ahead;
    const { clock } = this.#options;
    if (clock.monotonicMs() < (this.#silentUntilMs.get(target.topic) ?? 0)) return undefined;
    const ahead = await this.#look(target, expected, end);
    if (!ahead) this.#silentUntilMs.set(target.topic, clock.monotonicMs() + SILENT_MS);
    if (ahead) this.#looks.set(name, { expected, end, ahead });
    return ahead;
  }

  /** Reads until there is a record, or the end: markers alone are a handful. */
  async #look(target: TopicPartition, expected: bigint, end: bigint): Promise<Ahead | undefined> {
    const signal = AbortSignal.timeout(LOOK_MS);
    try {
      for await (const { records, nextOffset } of this.#options.client.read(target, { from: expected, signal })) {
        const [first] = records;
        if (first) {
          return { firstMs: first.timestampMs, records: records.length, offsets: Number(nextOffset - expected) };
        }
        if (nextOffset >= end) return { ...NONE_IN_HAND, offsets: Number(nextOffset - expected) };
      }
    } catch {
      return undefined;
    }
    return undefined;
  }
}
