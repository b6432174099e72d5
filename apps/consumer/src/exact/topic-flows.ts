import { partitionName } from '@genesys-kafka/kafka';
import type { RoutePlan } from '@genesys-kafka/routing';
import type { FlowFactory } from '../group/flow.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import type { OpenSink } from '../route/open-sinks.ts';
import type { ExactContext } from './exact-context.ts';
import { ExactFlow } from './exact-flow.ts';
import { KafkaPartitionWriter } from './kafka-writer.ts';

/** The flows of a route whose records go to another topic. */
export function topicFlows(
  { groupId, priority }: RoutePlan,
  { sink, gate }: Extract<OpenSink, { readonly kind: 'topic' }>,
  forwarder: Forwarder,
  context: ExactContext,
): FlowFactory {
  const { workOf, onAnswer, onDelivered, limits, topicIds, draining, acceptChanges, clock } = context;
  return (input, hooks) => {
    const writer = new KafkaPartitionWriter({
      ...{ input, sink, gate, priority, forwarder, acceptChanges, clock },
      inputTopicId: topicIds.get(input.topic),
      transactionalId: `${groupId}.${partitionName(input)}`,
      onAnswer: (outcome, seconds) => onAnswer([outcome], seconds),
    });
    return new ExactFlow({ limits, batch: sink.batch, draining, writer, workOf, hooks, onDelivered, clock });
  };
}
