import { Batcher, longestWaitMs, type DeliveryOutcome, type Lane } from '@genesys-kafka/delivery';
import type { Clock } from '@genesys-kafka/resilience';
import { groupIdOf, owns, ownsOrphan, picks, picksUnrouted, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';
import type { Logger } from '@genesys-kafka/runtime';
import type { RecordReader } from '@genesys-kafka/topics';
import { Forwarder } from '../forward/forwarder.ts';
import type { TopicWriter } from '../forward/topic-writer.ts';
import type { ConsumerTopics } from '../forward/topics.ts';
import type { Work } from '../group/work.ts';
import type { Settings } from '../settings.ts';
import type { ConsumerMetrics, RouteCounts, RouteRecorder } from './consumer-metrics.ts';
import { DeadLetterNotice } from './dead-letter-notice.ts';
import { deliverRecord } from './deliver-record.ts';
import type { OpenSink, OpenSinks } from './open-sinks.ts';
import { routeWork } from './route-work.ts';
import { shapeOf } from './shape.ts';

/** What all routes share. */
export interface RouteContext {
  readonly settings: Settings;
  readonly topics: ConsumerTopics;
  readonly writer: TopicWriter;
  readonly reader: RecordReader;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A route as its group works on it. */
export interface WorkingRoute {
  readonly route: string;
  readonly groupId: string;
  readonly work: Work;
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
  const route = (name: string, workOf: (recorder: RouteRecorder) => Work): WorkingRoute => {
    const recorder = metrics.forRoute(name);
    const groupId = groupIdOf(context.settings, name);
    return { route: name, groupId, work: workOf(recorder), counts: recorder.counts };
  };
  return [
    ...plans.map((plan) =>
      route(plan.name, (recorder) => configuredRoute(plan, sinks.byName.get(plan.sink)!, recorder, context)),
    ),
    route(UNROUTED, (recorder) => unroutedRoute(plans, recorder, context)),
  ];
}

/** What a route of the configuration does with a record: picks by its rule, delivers to its sink. */
function configuredRoute(plan: RoutePlan, open: OpenSink, recorder: RouteRecorder, context: RouteContext): Work {
  const { topics, reader, log, clock } = context;
  const { name, sink, priority, policy, blocking } = plan;
  const forwarder = forwarderOf(name, recorder, context);
  const onAnswer = (outcomes: readonly DeliveryOutcome[], seconds: number) => {
    recorder.answered(outcomes, seconds);
    const refusal = outcomes.find(({ kind }) => kind === 'misconfigured');
    // The circuit opens, so this comes once per cooldown.
    if (refusal?.kind === 'misconfigured')
      log.error({ route: name, sink, ...refusal.failure }, 'the target refuses us; records wait');
  };
  const batcherOf = (lane: Lane) => new Batcher({ ...open, lane, clock, onAnswer });
  return routeWork({
    mainTopic: topics.main,
    picks: plan.rule === undefined || ((parsed, headers) => picks(plan, parsed, headers)),
    owns: (owner) => owns(plan, owner),
    keepsUnreadable: false,
    longestWaitMs: longestWaitMs(context.settings.retry.tiersMs),
    reader,
    settle: deliverRecord({
      route: name,
      batcher: batcherOf(priority),
      replays: batcherOf('replay'),
      gate: open.gate,
      policy,
      blocking,
      ...(plan.reshape && { reshape: (picked) => shapeOf(plan, picked) }),
      forwarder,
      clock,
      onDelivered: () => recorder.settled('delivered'),
    }),
    forwarder,
    clock,
    onSkipped: () => recorder.settled('skipped'),
  });
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
    picks:
      plans.every(({ rule }) => rule !== undefined) && ((parsed, headers) => picksUnrouted(plans, parsed, headers)),
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
  const { settings, topics, writer, log, clock } = context;
  const notice = new DeadLetterNotice(route, log);
  return new Forwarder({
    route,
    groupId: groupIdOf(settings, route),
    retries: topics.retries,
    deadLetters: topics.deadLetters,
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
