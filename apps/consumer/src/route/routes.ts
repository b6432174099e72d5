import type { Clock } from '@genesys-kafka/resilience';
import { groupIdOf, owns, ownsOrphan, picks, picksUnrouted, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';
import type { Logger } from '@genesys-kafka/runtime';
import type { SchemaIds } from '@genesys-kafka/schema-registry';
import { Moves } from '../forward/forwarder.ts';
import type { TopicWriter } from '../forward/topic-writer.ts';
import type { ConsumerTopics } from '../forward/topics.ts';
import type { Work } from '../group/partition-flow.ts';
import type { Settings } from '../settings.ts';
import type { OpenSink } from './open-sinks.ts';
import type { RouteRecorder } from './route-counts.ts';
import { deliverySettle, routeWork } from './route-work.ts';

/** What all routes share. */
export interface RouteContext {
  readonly settings: Settings;
  readonly topics: ConsumerTopics;
  readonly writer: TopicWriter;
  readonly schemas: SchemaIds | undefined;
  readonly log: Logger;
  readonly clock: Clock;
}

/** What a route of the configuration does with a record: picks by its rule, delivers to its sink. */
export function configuredRoute(plan: RoutePlan, open: OpenSink, recorder: RouteRecorder, context: RouteContext): Work {
  const { topics, schemas, log, clock } = context;
  const moves = movesOf(plan, recorder, context);
  const settle = deliverySettle({
    route: plan.name,
    target: { ...open, priority: plan.priority, policy: plan.policy, blocking: plan.blocking },
    moves,
    clock,
    onOutcome: (outcome, seconds) => {
      recorder.answered(outcome.kind, seconds);
      if (outcome.kind === 'delivered') recorder.settled('delivered');
      // The circuit opens, so this comes once per cooldown.
      if (outcome.kind === 'misconfigured') {
        log.error({ route: plan.name, sink: plan.sink, ...outcome.failure }, 'the target refuses us; records wait');
      }
    },
  });
  return routeWork({
    mainTopic: topics.main,
    picks: (parsed, headers) => picks(plan, parsed, headers),
    owns: (owner) => owns(plan, owner),
    keepsPoison: false,
    schemas,
    settle,
    moves,
    clock,
    onSkipped: () => recorder.settled('skipped'),
  });
}

/**
 * What becomes of everything that no route takes: records that no rule picks, records that nobody can read, and retries
 * of routes that are no more. Only the first of these are ever dropped, and only where the configuration says so.
 */
export function unroutedRoute(plans: readonly RoutePlan[], recorder: RouteRecorder, context: RouteContext): Work {
  const { settings, topics, schemas, clock } = context;
  const moves = movesOf({ name: UNROUTED, groupId: groupIdOf(settings, UNROUTED) }, recorder, context);
  return routeWork({
    mainTopic: topics.main,
    picks: (parsed, headers) => picksUnrouted(plans, parsed, headers),
    owns: (owner) => ownsOrphan(settings, owner),
    keepsPoison: true,
    schemas,
    settle: async ({ record, visit }, signals) => {
      if (visit.picked) {
        const reason = 'The route that this record was to be retried on is in the configuration no more.';
        const attempts = visit.attempt - 1;
        return moves.deadLetter(record, visit, { stage: 'route', cause: 'route-removed', reason, attempts }, signals);
      }
      if (settings.unrouted === 'drop') {
        recorder.settled('dropped');
        return;
      }
      const letter = { stage: 'route', cause: 'unrouted', reason: 'No route picks this record.', attempts: 0 } as const;
      return moves.deadLetter(record, visit, letter, signals);
    },
    moves,
    clock,
    onSkipped: () => recorder.settled('skipped'),
  });
}

function movesOf(
  { name, groupId }: Pick<RoutePlan, 'name' | 'groupId'>,
  recorder: RouteRecorder,
  context: RouteContext,
): Moves {
  const { topics, writer, clock } = context;
  return new Moves({
    route: name,
    groupId,
    retries: topics.retries,
    deadLetters: topics.deadLetters,
    writer,
    clock,
    onRetry: (tier) => recorder.retried(tier),
    onDeadLetter: (cause) => recorder.deadLettered(cause),
  });
}
