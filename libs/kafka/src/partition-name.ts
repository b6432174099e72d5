import type { TopicPartition } from './port.ts';

/** `topic-partition`, as Kafka's own tools and logs name it: for messages, and as a key. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}
