import type { SinkGate } from '@genesys-kafka/delivery';
import { partitionName } from '@genesys-kafka/kafka';
import type { RoutePlan } from '@genesys-kafka/routing';
import type { FlowFactory } from '../group/flow.ts';
import type { Settle } from '../group/settle.ts';
import type { ExactContext } from './exact-context.ts';
import { ExactFlow } from './exact-flow.ts';
import type { KafkaSink } from './kafka-sink.ts';
import { KafkaPartitionWriter } from './kafka-writer.ts';

/** The flows of a route whose records go to another topic. */
export function topicFlows(
  { groupId }: RoutePlan,
  { sink, gate }: { readonly sink: KafkaSink; readonly gate: SinkGate },
  context: ExactContext,
): FlowFactory {
  const { workOf, laneOf, forwarderBy, onAnswer, onDelivered, limits, topics, topicIds } = context;
  const { draining, acceptChanges, clock } = context;
  return (input, hooks) => {
    const writer = new KafkaPartitionWriter({
      ...{ input, sink, gate, lane: laneOf(input.topic), forwarderBy, acceptChanges, clock },
      inputTopicId: topicIds.get(input.topic),
      deadLetterBytes: topics.deadLetters?.maxBytes ?? 0,
      transactionalId: `${groupId}.${partitionName(input)}`,
      onAnswer: (outcome, seconds) => onAnswer([outcome], seconds),
    });
    const work = (settle: Settle) => workOf(settle, writer.forwarder);
    return new ExactFlow({ limits, batch: sink.batch, draining, writer, workOf: work, hooks, onDelivered, clock });
  };
}
