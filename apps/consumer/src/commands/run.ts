import { connectKafka } from '@genesys-kafka/kafka';
import { openLetterObjects } from '@genesys-kafka/dead-letters';
import { systemClock, untilAborted } from '@genesys-kafka/resilience';
import { planRoutes } from '@genesys-kafka/routing';
import { createMetrics, startHealthServer, type Logger } from '@genesys-kafka/runtime';
import { connectOptionalRegistry, SchemaIds, type SchemaRegistryError } from '@genesys-kafka/schema-registry';
import { RecordReader } from '@genesys-kafka/topics';
import { followPauses, untilPaused } from '../control/paused-routes.ts';
import { leftoverRetries } from '../forward/leftover-retries.ts';
import { TopicWriter } from '../forward/topic-writer.ts';
import { prepareConsumerTopics } from '../forward/topics.ts';
import { drained, untilHeldUpForGood } from '../group/drain.ts';
import { EndOffsetCache } from '../group/end-offset-cache.ts';
import { RouteRunner } from '../group/route-runner.ts';
import { rulesNote } from '../group/rules-in-force.ts';
import { runAll } from '../group/run-all.ts';
import { tellCircuit } from '../route/circuit-notice.ts';
import { createConsumerMetrics, type ConsumerMetrics, type RouteCounts } from '../route/consumer-metrics.ts';
import { openSinks, type OpenSinks } from '../route/open-sinks.ts';
import { RouteLag } from '../route/route-lag.ts';
import { workingRoutes } from '../route/routes.ts';
import { runStatus } from '../control/run-status.ts';
import { checkSinks, untilAwayForGood, untilRefusedForGood } from '../route/sink-refusals.ts';
import type { Settings } from '../settings.ts';
import { beginRoutes } from './begin-routes.ts';
import { flowLimits, groupSettings, type RunFlags } from './run-options.ts';

export interface RunReport {
  /** What this process settled, by route. */
  readonly routes: Readonly<Record<string, RouteCounts>>;
  readonly seconds: number;
}

/**
 * main topic + retry topics + replays ─► one group per route ─► rule ─► sink ─► done, or retry topic, or dead-letter topic.
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
  const sinks = closing.use(openSinks(settings, log));
  const client = closing.adopt(connectKafka(settings, log), async (one) => one.close());
  const registry = connectOptionalRegistry(settings);
  await registry?.check();
  const topics = await prepareConsumerTopics(client, settings);
  await checkSinks(sinks, log, signal);
  const prometheus = closing.use(createMetrics());
  const ends = new EndOffsetCache(client.admin, clock);
  const metrics = createConsumerMetrics(prometheus, { ends, lag: new RouteLag({ client, ends, clock }) });
  const { onWriteFailure, onStoreFailure, onRegistryFailure } = observe(metrics, sinks, log);
  const keeper = await openLetterObjects(settings, closing, onStoreFailure, signal);
  const writer = new TopicWriter({ producer: client.producer(), onFailure: onWriteFailure });
  const schemas = registry && new SchemaIds({ registry, clock, onFailure: onRegistryFailure });
  const reader = new RecordReader(schemas);
  const leftovers = await leftoverRetries(client.admin, settings);
  const queues = [...topics.retries, topics.replays].map(({ topic }) => topic);
  const sources = [topics.main, ...queues, ...leftovers] as const;
  metrics.watchTopics(sources);
  if (leftovers.length > 0)
    log.warn({ topics: leftovers }, 'retry topics of tiers that are configured no more are read');
  const { sessionTimeoutMs } = settings.consumer;
  const { acceptGap = false, acceptRules = false, drain = false } = flags;
  const limits = flowLimits(settings);
  const ids = sources.map(async (topic) => [topic, await client.admin.topicId(topic)] as const);
  const routes = workingRoutes(plans, sinks, metrics, {
    ...{ settings, topics, writer, keeper, reader, log, clock, limits },
    topicIds: new Map(await Promise.all(ids)),
    draining: drain,
    acceptChanges: acceptRules,
  });
  const { controls, fresh } = await beginRoutes({ client, settings, topics: sources, acceptRules, log, clock, signal });
  const shared = {
    topics: sources,
    client,
    log,
    clock,
    settings: groupSettings(settings),
    sessionTimeoutMs,
    maxFetchBytes: limits.maxBytes,
    acceptGap,
    commitNote: rulesNote(settings),
  };
  const runners = routes.map(
    ({ route, groupId, flowOf, wants }) =>
      new RouteRunner({
        ...shared,
        route,
        groupId,
        flowOf,
        wants,
        isNew: fresh.has(route),
        startOf: ({ topic, partition }) =>
          topic === topics.main ? controls.startOf(groupId)?.offsets.get(partition) : undefined,
        isPaused: () => controls.pauseOf(groupId) !== undefined,
        onJoin: (group) => metrics.watchGroup(route, group),
        onCommitFailure: () => metrics.commitFailed(route),
      }),
  );

  followPauses(runners, { controls, metrics, log });
  const { port, host } = settings.http;
  const waitedFor = [...runners, schemas, keeper, writer].flatMap((part) => part ?? []);
  const ready = () => {
    const reasons = waitedFor.flatMap(({ notReady }) => notReady ?? []);
    return { ready: reasons.length === 0, reasons, status: runStatus(routes, controls, sinks) };
  };
  const health = await startHealthServer({ port, host, metrics: prometheus, ready, signal });
  if (health) closing.use(health);
  const names = plans.map(({ name }) => name);
  log.info({ routes: names, topics: sources, health: health ? `${host}:${port}` : 'off' }, 'consumer started');
  const groupIds = routes.map(({ groupId }) => groupId);
  const hindered = [untilRefusedForGood(sinks, clock), untilPaused(routes, controls)];
  // Only a drain asks.
  for (const one of hindered) one.catch(() => undefined);
  const follower = { run: (stopped: AbortSignal) => controls.follow(stopped) };
  await runAll([...runners, follower], signal, async (stopped) =>
    drain
      ? Promise.race([
          drained({ client, groupIds, topics: sources, signal: stopped }, clock),
          untilAwayForGood(sinks, clock, stopped),
          untilHeldUpForGood(waitedFor, clock, stopped),
          ...hindered,
        ])
      : untilAborted(stopped),
  );
  const counts = Object.fromEntries(routes.map((one) => [one.route, one.counts]));
  return { routes: counts, seconds: (clock.monotonicMs() - startedMs) / 1000 };
}

/** What is told of troubles that are waited out. */
function observe(metrics: ConsumerMetrics, sinks: OpenSinks, log: Logger) {
  for (const [sink, { gate }] of sinks.byName) {
    metrics.watchGate(sink, gate);
    gate.onChange((state, opening) =>
      tellCircuit(log, sink, { state, opening, refuses: gate.refusals > 0, nowMs: systemClock.nowMs() }),
    );
  }
  return {
    onWriteFailure: (err: unknown, { topic, partition }: { topic: string; partition: number }, waitMs: number) => {
      metrics.writeFailed(topic);
      log.error({ err, topic, partition, waitMs }, 'a move was not written; its offset stays until it is');
    },
    onStoreFailure: (err: unknown, waitMs: number) => {
      metrics.storeFailed();
      log.error({ err, waitMs }, 'dead letters were not written to object storage; their offsets stay until they are');
    },
    onRegistryFailure: ({ code, message }: SchemaRegistryError) =>
      log.error({ code, reason: message }, 'the registry does not tell a schema; records wait'),
  };
}
