import { createHash } from 'node:crypto';
import type { DeliveryOutcome } from '@genesys-kafka/delivery';
import type { Clock } from '@genesys-kafka/resilience';
import type { RoutePlan } from '@genesys-kafka/routing';
import type { FlowFactory, FlowLimits } from '../group/flow.ts';
import type { Work } from '../group/work.ts';
import type { OpenSink } from '../route/open-sinks.ts';
import type { Settle } from '../route/route-work.ts';
import { ExactFlow } from './exact-flow.ts';
import { ObjectPartitionWriter } from './object-writer.ts';

/** What an exact route is given of its surroundings. */
export interface ExactContext {
  readonly workOf: (settle: Settle) => Work;
  readonly onAnswer: (outcomes: readonly DeliveryOutcome[], seconds: number) => void;
  readonly onDelivered: (records: number) => void;
  readonly limits: FlowLimits;
  readonly topicIds: ReadonlyMap<string, string | undefined>;
  readonly draining: boolean;
  readonly acceptChanges: boolean;
  readonly clock: Clock;
}

const TAG_CHARS = 12;

/** The flows of a route whose records become objects. */
export function objectFlows(
  { groupId, priority }: RoutePlan,
  { sink, gate }: Extract<OpenSink, { readonly kind: 'objects' }>,
  context: ExactContext,
): FlowFactory {
  const { workOf, onAnswer, onDelivered, limits, topicIds, draining, acceptChanges, clock } = context;
  return (target, hooks) => {
    const tag = tagOf(groupId, topicIds.get(target.topic));
    const writer = new ObjectPartitionWriter({
      ...{ target, groupId, sink, gate, priority, tag, acceptChanges, clock },
      onAnswer: (outcome, seconds) => onAnswer([outcome], seconds),
    });
    return new ExactFlow({ limits, batch: sink.batch, draining, writer, workOf, hooks, onDelivered, clock });
  };
}

/** Objects of another route, connector or topic never have the same key, though offsets begin anew in each. */
function tagOf(groupId: string, topicId: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([groupId, topicId ?? null]))
    .digest('hex')
    .slice(0, TAG_CHARS);
}
