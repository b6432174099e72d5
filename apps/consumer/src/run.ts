import { systemClock } from '@genesys-kafka/resilience';
import { createMetrics, startHealthServer, type Logger, type Settings } from '@genesys-kafka/runtime';
import { connectKafka, connectRegistry } from './connect.ts';
import { looksDrained } from './drain.ts';
import { openSinks } from './open-sinks.ts';
import { createConsumerMetrics, type RouteCounts } from './route-counts.ts';
import { groupIdOf, planRoutes, UNROUTED } from './route-plan.ts';
import { RouteRunner } from './route-runner.ts';
import { configuredRoute, unroutedRoute } from './routes.ts';
import { groupSettings, type RunFlags } from './run-options.ts';
import { SchemaIds } from './schema-ids.ts';
import { TopicWriter } from './topic-writer.ts';
import { prepareTopics } from './topics.ts';

export interface RunReport {
  /** What this process settled, by route. */
  readonly routes: Readonly<Record<string, RouteCounts>>;
  readonly seconds: number;
}

/** Seconds between two looks for the end under `--drain`. */
const drainLookMs = 500;

/**
 * consumer run: main topic and retry topics ─► one group per route ─► rule ─► sink, retry topic or dead-letter topic.
 * Ends when `signal` aborts, or with `--drain` when nothing is left; rejects where the run itself cannot go on.
 */
export async function runConsumer(settings: Settings, flags: RunFlags, log: Logger, signal: AbortSignal): Promise<RunReport> {
  const clock = systemClock;
  const startedMs = clock.monotonicMs();
  const plans = planRoutes(settings);
  await using closing = new AsyncDisposableStack();
  const sinks = closing.use(openSinks(settings));
  const client = closing.adopt(connectKafka(settings, log), async (one) => one.close());
  const registry = connectRegistry(settings);
  await registry?.check();
  const topics = await prepareTopics(client, settings);
  const prometheus = closing.use(createMetrics());
  const metrics = createConsumerMetrics(prometheus);
  const schemas = registry && new SchemaIds({ registry, clock, onFailure: (err, waitMs) => log.error({ err, waitMs }, 'the registry does not answer; records wait') });
  const writer = new TopicWriter({
    producer: closing.adopt(client.producer(), async (one) => one.close()),
    onFailure: (err, { topic, partition }, waitMs) => {
      metrics.writeFailed(topic);
      log.error({ err, topic, partition, waitMs: Math.round(waitMs) }, 'a move was not written; its offset does not move');
    },
  });
  for (const [name, { gate }] of sinks.byName) {
    metrics.watchGate(name, gate);
    gate.onChange((state) => log.warn({ sink: name, state }, `circuit ${state}`));
  }

  const context = { settings, topics, writer, schemas, log, clock };
  const recorders = new Map([...plans.map(({ name }) => name), UNROUTED].map((name) => [name, metrics.forRoute(name)]));
  const works = [
    ...plans.map((plan) => ({ route: plan.name, work: configuredRoute(plan, sinks.byName.get(plan.sink)!, recorders.get(plan.name)!, context) })),
    { route: UNROUTED, work: unroutedRoute(plans, recorders.get(UNROUTED)!, context) },
  ];
  const readTopics = [topics.main, ...topics.retries.map(({ topic }) => topic)];
  const runners = works.map(
    ({ route, work }) =>
      new RouteRunner({
        route,
        groupId: groupIdOf(settings, route),
        topics: readTopics,
        work,
        client,
        settings: groupSettings(flags),
        sessionTimeoutMs: flags.sessionTimeout,
        acceptGap: flags.acceptGap ?? false,
        metrics,
        log,
        clock,
      }),
  );
  closing.use(await health(settings, prometheus, runners, signal));

  const groupIds = works.map(({ route }) => groupIdOf(settings, route));
  await runAll(runners, signal, async (stop) => {
    if (flags.drain) await drained({ client, groupIds, topics: readTopics, signal: stop });
  });
  const counts = [...recorders].map(([name, recorder]) => [name, recorder.counts]);
  return { routes: Object.fromEntries(counts) as Record<string, RouteCounts>, seconds: (clock.monotonicMs() - startedMs) / 1000 };
}
