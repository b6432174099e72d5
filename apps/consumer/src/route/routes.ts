import type { LetterKeeper } from '@genesys-kafka/dead-letters';
import { Batcher, longestWaitMs, type DeliveryOutcome, type Lane } from '@genesys-kafka/delivery';
import type { GroupOptions } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import { groupIdOf, owns, ownsOrphan, picks, picksUnrouted, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';
import type { Logger } from '@genesys-kafka/runtime';
import type { RecordReader } from '@genesys-kafka/topics';
import { Forwarder } from '../forward/forwarder.ts';
import type { RecordMover } from '../forward/topic-writer.ts';
import type { ConsumerTopics } from '../forward/topics.ts';
import { objectFlows } from '../exact/object-flows.ts';
import { topicFlows } from '../exact/topic-flows.ts';
import type { FlowFactory, FlowLimits } from '../group/flow.ts';
import { keyedFlows } from '../group/partition-flow.ts';
import type { Work } from '../group/work.ts';
import type { Settings } from '../settings.ts';
import type { ConsumerMetrics, RouteCounts, RouteRecorder } from './consumer-metrics.ts';
import { DeadLetterNotice } from './dead-letter-notice.ts';
import { deliverRecord } from './deliver-record.ts';
import type { OpenSink, OpenSinks } from './open-sinks.ts';
import type { PickedRecord, Settle } from '../group/settle.ts';
import { routeWork } from './route-work.ts';
import { shapeOf } from './shape.ts';

/** What all routes share. */
export interface RouteContext {
  readonly settings: Settings;
  readonly topics: ConsumerTopics;
  /** By topic, where brokers tell them. */
  readonly topicIds: ReadonlyMap<string, string | undefined>;
  readonly limits: FlowLimits;
  /** The run ends when nothing is left. */
  readonly draining: boolean;
  /** The operator has said that rules and sinks were changed on purpose. */
  readonly acceptChanges: boolean;
  readonly writer: RecordMover;
  /** Where dead letters go to object storage. */
  readonly keeper?: LetterKeeper | undefined;
  readonly reader: RecordReader;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A route as its group works on it. */
export interface WorkingRoute {
  readonly route: string;
  readonly groupId: string;
  readonly flowOf: FlowFactory;
  /** Of the records that are fetched; absent where all are looked at. */
  readonly wants?: GroupOptions['wants'];
  /** What this process has settled along it. */
  readonly counts: RouteCounts;
}

/** The routes of the configuration, and the one of what no route takes. */
export function workingRoutes(
  plans: readonly RoutePlan[],
  sinks: OpenSinks,
  metrics: ConsumerMetrics,
  context: RouteContext,
): WorkingRoute[] {
  const route = (name: string, flows: (recorder: RouteRecorder) => FlowFactory): WorkingRoute => {
    const recorder = metrics.forRoute(name);
    const groupId = groupIdOf(context.settings, name);
    return { route: name, groupId, flowOf: flows(recorder), counts: recorder.counts };
  };
  return [
    ...plans.map((plan) =>
      route(plan.name, (recorder) => configuredRoute(plan, sinks.byName.get(plan.sink)!, recorder, context)),
    ),
    {
      ...route(UNROUTED, (recorder) =>
        keyedFlows({
          work: unroutedRoute(plans, recorder, context),
          limits: context.limits,
          onUnwanted: (records) => recorder.settled('skipped', records),
        }),
      ),
      wants: leavesNothing(plans) ? unlessPlain(context) : undefined,
    },
  ];
}

/** A route without a rule takes every record that can be read. */
function leavesNothing(plans: readonly RoutePlan[]): boolean {
  return plans.some(({ rule }) => rule === undefined);
}

/** Nothing is made of what is plainly a route's: of the main topic that would be nearly all, for nothing. */
function unlessPlain({ topics, reader }: RouteContext): GroupOptions['wants'] {
  return (topic, { bytes, valueFrom, valueTo }) =>
    topic !== topics.main || valueTo < valueFrom || !reader.isPlain(bytes.subarray(valueFrom, valueTo));
}

/** What a route of the configuration does with a record: picks by its rule, delivers to its sink. */
function configuredRoute(plan: RoutePlan, open: OpenSink, recorder: RouteRecorder, context: RouteContext): FlowFactory {
  const { topics, reader, clock, limits } = context;
  const { name, priority, policy, blocking } = plan;
  const forwarder = forwarderOf(name, recorder, context);
  const onAnswer = (outcomes: readonly DeliveryOutcome[], seconds: number) => recorder.answered(outcomes, seconds);
  const workOf = (settle: Settle, via = forwarder): Work =>
    routeWork({
      mainTopic: topics.main,
      picks: plan.rule === undefined || ((parsed, headers) => picks(plan, parsed, headers)),
      owns: (owner) => owns(plan, owner),
      keepsUnreadable: false,
      longestWaitMs: longestWaitMs(context.settings.retry.tiersMs),
      reader,
      settle,
      forwarder: via,
      clock,
      onSkipped: () => recorder.settled('skipped'),
    });
  const onDelivered = (records = 1) => recorder.settled('delivered', records);
  const forwarderBy = (writer?: RecordMover) => forwarderOf(name, recorder, writer ? { ...context, writer } : context);
  const laneOf = (topic: string): Lane => (topic === topics.replays.topic ? 'replay' : priority);
  const exact = { ...context, workOf, laneOf, forwarderBy, onAnswer, onDelivered };
  if (open.kind === 'objects') return objectFlows(plan, open, exact);
  if (open.kind === 'topic') return topicFlows(plan, open, exact);
  const batcherOf = (lane: Lane) => new Batcher({ ...open, lane, clock, onAnswer });
  const batchers = { batcher: batcherOf(priority), replays: batcherOf('replay') };
  const reshape = plan.reshape && { reshape: (picked: PickedRecord) => shapeOf(plan, picked) };
  const ports = {
    route: name,
    ...batchers,
    gate: open.gate,
    policy,
    blocking,
    ...reshape,
    forwarder,
    clock,
    onDelivered,
  };
  return keyedFlows({ work: workOf(deliverRecord(ports)), limits, onFull: hurrying(Object.values(batchers)) });
}

/**
 * Has the batches of a route go while it can take no more: they would wait their whole age for company that cannot come.
 * Once a turn, so that what one request has settled is followed by all that it held up.
 */
function hurrying(batchers: readonly Batcher[]): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      for (const batcher of batchers) batcher.hurry();
    });
  };
}

/**
 * What becomes of everything that no route takes: records that no rule picks, records that nobody can read, and retries
 * of routes that are no more. Only the first of these are ever dropped, and only where the configuration says so.
 */
function unroutedRoute(plans: readonly RoutePlan[], recorder: RouteRecorder, context: RouteContext): Work {
  const { settings, topics, reader, clock } = context;
  const forwarder = forwarderOf(UNROUTED, recorder, context);
  return routeWork({
    mainTopic: topics.main,
    picks: !leavesNothing(plans) && ((parsed, headers) => picksUnrouted(plans, parsed, headers)),
    owns: (owner) => ownsOrphan(settings, owner),
    keepsUnreadable: true,
    longestWaitMs: longestWaitMs(settings.retry.tiersMs),
    reader,
    settle: ({ record, state }, { signal }) => {
      if (state.picked) {
        const reason = 'The route that this record was to be retried on is in the configuration no more.';
        const why = { stage: 'route', cause: 'route-removed', reason, attempts: state.attempt - 1 } as const;
        return forwarder.deadLetter(record, state.origin, why, signal);
      }
      if (settings.unrouted === 'drop') {
        recorder.settled('dropped');
        return undefined;
      }
      const why = { stage: 'route', cause: 'unrouted', reason: 'No route picks this record.', attempts: 0 } as const;
      return forwarder.deadLetter(record, state.origin, why, signal);
    },
    forwarder,
    clock,
    onSkipped: () => recorder.settled('skipped'),
  });
}

function forwarderOf(route: string, recorder: RouteRecorder, context: RouteContext): Forwarder {
  const { settings, topics, writer, keeper, log, clock } = context;
  const notice = new DeadLetterNotice(route, log);
  return new Forwarder({
    route,
    groupId: groupIdOf(settings, route),
    retries: topics.retries,
    deadLetters: topics.deadLetters,
    keeper,
    writer,
    clock,
    onRetry: (tier) => recorder.retried(tier),
    onDeadLetter: (cause) => {
      recorder.deadLettered(cause);
      notice.count(cause);
    },
    onRefused: (topic, { code }) =>
      log.error({ route, topic, code }, 'the topic refuses a record for good; what is kept of it is a dead letter'),
  });
}
