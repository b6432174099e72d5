import { connectKafka } from '@genesys-kafka/kafka';
import { systemClock } from '@genesys-kafka/resilience';
import { groupIdOf, planRoutes, UNROUTED } from '@genesys-kafka/routing';
import { createMetrics, startHealthServer, type Logger } from '@genesys-kafka/runtime';
import { connectOptionalRegistry, SchemaIds } from '@genesys-kafka/schema-registry';
import { TopicWriter } from '../forward/topic-writer.ts';
import { prepareTopics } from '../forward/topics.ts';
import { drained } from '../group/drain.ts';
import { LogEnds } from '../group/end-offset-cache.ts';
import { RouteRunner } from '../group/route-runner.ts';
import { runAll, untilAborted } from '../group/run-all.ts';
import { openSinks, type OpenSinks } from '../route/open-sinks.ts';
import {
  createConsumerMetrics,
  type ConsumerMetrics,
  type RouteCounts,
  type RouteRecorder,
} from '../route/route-counts.ts';
import { configuredRoute, unroutedRoute, type RouteContext } from '../route/routes.ts';
import type { Settings } from '../settings.ts';
import { groupSettings, type RunFlags } from './run-options.ts';

export interface RunReport {
  /** What this process settled, by route. */
  readonly routes: Readonly<Record<string, RouteCounts>>;
  readonly seconds: number;
}

/**
 * main topic + retry topics ─► one group per route ─► rule ─► sink ─► done, or retry topic, or dead-letter topic.
 * Ends when `signal` aborts, or with `--drain` when nothing is left; rejects where the run itself cannot go on.
 */
export async function runConsumer(
  settings: Settings,
  flags: RunFlags,
  log: Logger,
  signal: AbortSignal,
): Promise<RunReport> {
  const clock = systemClock;
  const startedMs = clock.monotonicMs();
  await using closing = new AsyncDisposableStack();
  const plans = planRoutes(settings);
  const sinks = closing.use(openSinks(settings));
  const client = closing.adopt(connectKafka(settings, log), async (one) => one.close());
  const registry = connectOptionalRegistry(settings);
  await registry?.check();
  const topics = await prepareTopics(client, settings);
  const prometheus = closing.use(createMetrics());
  const metrics = createConsumerMetrics(prometheus, new LogEnds(client.admin, clock));
  const observers = observe(metrics, sinks, log);
  const writer = new TopicWriter({ producer: client.producer(), onFailure: observers.onWriteFailure });
  const schemas = registry && new SchemaIds({ registry, clock, onFailure: observers.onRegistryFailure });
  const context: RouteContext = { settings, topics, writer, schemas, log, clock };

  const recorders = new Map<string, RouteRecorder>();
  const recorderOf = (route: string): RouteRecorder => {
    const recorder = metrics.forRoute(route);
    recorders.set(route, recorder);
    return recorder;
  };
  const works = [
    ...plans.map((plan) => {
      const sink = sinks.byName.get(plan.sink)!;
      return { route: plan.name, work: configuredRoute(plan, sink, recorderOf(plan.name), context) };
    }),
    { route: UNROUTED, work: unroutedRoute(plans, recorderOf(UNROUTED), context) },
  ];
  const sources = [topics.main, ...topics.retries.map(({ topic }) => topic)];
  const shared = { topics: sources, client, metrics, log, clock, settings: groupSettings(settings) };
  const { acceptGap = false, drain = false } = flags;
  const { sessionTimeoutMs } = settings.consumer;
  const runners = works.map(
    ({ route, work }) =>
      new RouteRunner({ ...shared, route, work, groupId: groupIdOf(settings, route), sessionTimeoutMs, acceptGap }),
  );

  const { port, host } = settings.http;
  const ready = () => {
    const reasons = runners.flatMap(({ notReady }) => notReady ?? []);
    return { ready: reasons.length === 0, reasons };
  };
  const health = await startHealthServer({ port, host, metrics: prometheus, ready, signal });
  if (health) closing.use(health);
  const started = {
    routes: plans.map(({ name }) => name),
    topics: sources,
    health: health ? `${host}:${port}` : 'off',
  };
  log.info(started, 'consumer started');
  const groupIds = works.map(({ route }) => groupIdOf(settings, route));
  await runAll(runners, signal, async (stopped) =>
    drain ? drained({ client, groupIds, topics: sources, signal: stopped }, clock) : untilAborted(stopped),
  );

  const routes = Object.fromEntries([...recorders].map(([route, { counts }]) => [route, counts]));
  return { routes, seconds: (clock.monotonicMs() - startedMs) / 1000 };
}

/** What is told of troubles that are waited out. */
function observe(metrics: ConsumerMetrics, sinks: OpenSinks, log: Logger) {
  for (const [sink, { gate }] of sinks.byName) {
    metrics.watchGate(sink, gate);
    gate.onChange((state) => log.warn({ sink, state }, `circuit ${state}`));
  }
  return {
    onWriteFailure: (err: unknown, { topic, partition }: { topic: string; partition: number }, waitMs: number) => {
      metrics.writeFailed(topic);
      log.error({ err, topic, partition, waitMs }, 'a move was not written; its offset stays until it is');
    },
    onRegistryFailure: (err: unknown, waitMs: number) =>
      log.error({ err, waitMs }, 'the registry does not tell a schema; records wait'),
  };
}
