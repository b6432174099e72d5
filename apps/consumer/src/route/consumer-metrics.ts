import type { CircuitState, DeliveryOutcome, SinkGate } from '@genesys-kafka/delivery';
import type { Metrics } from '@genesys-kafka/runtime';
import type { EndOffsetCache } from '../group/end-offset-cache.ts';
import type { RouteGroup } from '../group/route-group.ts';
import type { RouteLag } from './route-lag.ts';

/** What became of the records that this process has settled along one route. */
export interface RouteCounts {
  delivered: number;
  /** Moves to retry topics. */
  retried: number;
  deadLettered: number;
  /** Records of other routes, and those that the rule does not pick. */
  skipped: number;
  /** Only of `unrouted`, and only where the configuration says `drop`. */
  dropped: number;
}

export interface RouteRecorder {
  readonly counts: RouteCounts;
  settled(outcome: 'delivered' | 'skipped' | 'dropped', records?: number): void;
  retried(tier: number): void;
  deadLettered(cause: string): void;
  /** What became of the records of one request. */
  answered(outcomes: readonly DeliveryOutcome[], seconds: number): void;
}

export interface ConsumerMetrics {
  forRoute(route: string): RouteRecorder;
  /** Shows what a route's current membership holds; called again after a rejoin. */
  watchGroup(route: string, group: RouteGroup): void;
  watchGate(sink: string, gate: SinkGate): void;
  /** Shows what open transactions hide of these topics. */
  watchTopics(names: readonly string[]): void;
  pausedIs(route: string, isPaused: boolean): void;
  writeFailed(topic: string): void;
  /** Dead letters that object storage did not take. */
  storeFailed(): void;
  commitFailed(route: string): void;
}

const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const OUTCOMES = {
  delivered: 'delivered',
  retried: 'retried',
  deadLettered: 'dead-lettered',
  skipped: 'skipped',
  dropped: 'dropped',
} as const satisfies Record<keyof RouteCounts, string>;
const CIRCUIT_LEVEL: Record<CircuitState, number> = { closed: 0, 'half-open': 1, open: 2 };

/** Labels are names out of the configuration and stable codes; never keys, topics' contents or addresses. */
export function createConsumerMetrics(
  metrics: Metrics,
  { ends, lag }: { readonly ends: Pick<EndOffsetCache, 'hidden'>; readonly lag: Pick<RouteLag, 'of'> },
): ConsumerMetrics {
  const countsOf = new Map<string, RouteCounts>();
  // Read when asked for: prom-client makes text of the labels for each record that is counted.
  metrics.counter(
    'consumer_records_total',
    'Records settled, by route and outcome.',
    ['route', 'outcome'],
    (counter) => {
      counter.reset();
      for (const [route, counts] of countsOf)
        for (const [field, outcome] of Object.entries(OUTCOMES) as [keyof RouteCounts, string][])
          // Zeros too: what begins with 1 has not risen, for whoever compares two scrapes.
          counter.inc({ route, outcome }, counts[field]);
    },
  );
  const retries = metrics.counter('consumer_retries_total', 'Moves to retry topics, by route and tier.', [
    'route',
    'tier',
  ]);
  const deadLetters = metrics.counter('consumer_dead_letters_total', 'Dead letters written, by route and cause.', [
    'route',
    'cause',
  ]);
  const seconds = metrics.histogram('consumer_delivery_seconds', 'Time of one delivery.', SECONDS_BUCKETS, [
    'route',
    'outcome',
  ]);
  const writes = metrics.counter('consumer_write_failures_total', 'Refused writes to retry and dead-letter topics.', [
    'topic',
  ]);
  const stored = metrics.counter(
    'consumer_dead_letter_store_failures_total',
    'Refused writes of dead letters to object storage.',
  );
  const commits = metrics.counter('consumer_commit_failures_total', 'Offset commits that failed.', ['route']);
  const topics = new Set<string>();
  const groups = new Map<string, RouteGroup>();
  const gates = new Map<string, SinkGate>();
  const perGroup = (name: string, help: string, read: (group: RouteGroup, route: string) => number | Promise<number>) =>
    metrics.gauge(name, help, ['route'], async (gauge) => {
      for (const [route, group] of groups) gauge.set({ route }, await read(group, route));
    });
  perGroup('consumer_in_flight_records', 'Records in hand, waiting ones included.', ({ inFlight }) => inFlight.records);
  perGroup('consumer_in_flight_bytes', 'Bytes of the records in hand.', ({ inFlight }) => inFlight.bytes);
  perGroup(
    'consumer_lag_records',
    'Records that are not delivered yet, in the assigned partitions; markers of transactions do not count.',
    async (group, route) => (await lag.of(group, route)).records,
  );
  perGroup(
    'consumer_lag_seconds',
    'Age of the oldest record that is not delivered yet, in the assigned partitions; 0 where there is none.',
    async (group, route) => (await lag.of(group, route)).seconds,
  );
  metrics.gauge(
    'consumer_hidden_offsets',
    'Offsets at the end of a topic that open transactions hide: log end minus last stable offset.',
    ['topic'],
    async (gauge) => {
      gauge.reset();
      const all = await Promise.all([...topics].map(async (topic) => [topic, await ends.hidden(topic)] as const));
      for (const [topic, hidden] of all) if (hidden !== undefined) gauge.set({ topic }, hidden);
    },
  );
  metrics.gauge('consumer_circuit_state', 'Circuit of a sink: 0 closed, 1 half-open, 2 open.', ['sink'], (gauge) => {
    for (const [sink, gate] of gates) gauge.set({ sink }, CIRCUIT_LEVEL[gate.state]);
  });
  metrics.gauge(
    'consumer_circuit_next_probe_seconds',
    'Time until an open circuit is probed; 0 while it is closed or half-open.',
    ['sink'],
    (gauge) => {
      for (const [sink, { trouble }] of gates) gauge.set({ sink }, (trouble?.nextProbeInMs ?? 0) / 1000);
    },
  );
  metrics.gauge(
    'consumer_circuit_cause',
    '1 for the cause by which the circuit of a sink is not closed.',
    ['sink', 'cause'],
    (gauge) => {
      gauge.reset();
      for (const [sink, { trouble }] of gates) if (trouble) gauge.set({ sink, cause: trouble.failure.cause }, 1);
    },
  );
  metrics.gauge(
    'consumer_adapted_rate',
    'Requests per second to which 429 answers have brought a sink; no sample while none did.',
    ['sink'],
    (gauge) => {
      gauge.reset();
      for (const [sink, { adaptedPerSecond }] of gates)
        if (adaptedPerSecond !== undefined) gauge.set({ sink }, adaptedPerSecond);
    },
  );
  const paused = metrics.gauge('consumer_route_paused', '1 while a route is paused by hand.', ['route']);
  return {
    pausedIs: (route, isPaused) => paused.set({ route }, isPaused ? 1 : 0),
    forRoute: (route) => {
      const counts: RouteCounts = { delivered: 0, retried: 0, deadLettered: 0, skipped: 0, dropped: 0 };
      countsOf.set(route, counts);
      commits.inc({ route }, 0);
      return {
        counts,
        settled: (outcome, records = 1) => {
          counts[outcome] += records;
        },
        retried: (tier) => {
          counts.retried += 1;
          retries.inc({ route, tier: String(tier + 1) });
        },
        deadLettered: (cause) => {
          counts.deadLettered += 1;
          deadLetters.inc({ route, cause });
        },
        answered: (outcomes, took) => {
          for (const { kind } of outcomes) seconds.observe({ route, outcome: kind }, took);
        },
      };
    },
    watchGroup: (route, group) => void groups.set(route, group),
    watchGate: (sink, gate) => void gates.set(sink, gate),
    watchTopics: (names) => names.forEach((name) => topics.add(name)),
    writeFailed: (topic) => writes.inc({ topic }),
    storeFailed: () => stored.inc(),
    commitFailed: (route) => commits.inc({ route }),
  };
}
