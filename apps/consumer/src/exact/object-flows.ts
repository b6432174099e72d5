import { createHash } from 'node:crypto';
import type { SinkGate } from '@genesys-kafka/delivery';
import type { RoutePlan } from '@genesys-kafka/routing';
import type { S3Sink } from '@genesys-kafka/sinks';
import type { FlowFactory } from '../group/flow.ts';
import type { ExactContext } from './exact-context.ts';
import { ExactFlow } from './exact-flow.ts';
import { ObjectPartitionWriter } from './object-writer.ts';

const TAG_CHARS = 12;

/** The flows of a route whose records become objects. */
export function objectFlows(
  { groupId }: RoutePlan,
  { sink, gate }: { readonly sink: S3Sink; readonly gate: SinkGate },
  context: ExactContext,
): FlowFactory {
  const { workOf, laneOf, onAnswer, onDelivered, limits, topicIds, draining, acceptChanges, clock } = context;
  return (target, hooks) => {
    const tag = tagOf(groupId, topicIds.get(target.topic));
    const writer = new ObjectPartitionWriter({
      ...{ target, groupId, sink, gate, lane: laneOf(target.topic), tag, acceptChanges, clock },
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
