import type { KafkaClient } from '@genesys-kafka/kafka';
import { checkTopic, topicSpecs, type TopicDescription, type TopicSize, type TopicSpec } from '@genesys-kafka/topics';
import { ConsumerError } from '../errors.ts';
import type { Settings } from '../settings.ts';

/** The topics that the consumer reads and writes, with the partitions they really have. */
export interface ConsumerTopics {
  readonly main: string;
  readonly retries: readonly TopicSize[];
  readonly deadLetters: TopicSize;
}

export function consumerSpecs(settings: Settings): {
  main: TopicSpec;
  retries: readonly TopicSpec[];
  deadLetters: TopicSpec;
} {
  const { data, retries, deadLetters } = topicSpecs({
    prefix: settings.kafka.topicPrefix,
    dataPartitions: settings.kafka.partitions,
    retryTiers: settings.retry.tiersMs.length,
  });
  return { main: data, retries, deadLetters };
}

/** Creates the topics that are missing and checks those that are there; throws `topic-unfit` with all that is wrong. */
export async function prepareTopics(client: KafkaClient, settings: Settings): Promise<ConsumerTopics> {
  const { main, retries, deadLetters } = consumerSpecs(settings);
  const specs = [main, ...retries, deadLetters];
  await client.admin.createMissing(specs);
  const found = await Promise.all(specs.map(async (spec) => client.admin.describeTopic(spec.name)));
  const problems = specs.flatMap((spec, index) => problemsOf(spec, found[index]));
  if (problems.length > 0) throw new ConsumerError('topic-unfit', problems.join('\n  - '));
  const size = (spec: TopicSpec): TopicSize => ({
    topic: spec.name,
    partitions: found.find((topic) => topic?.name === spec.name)!.partitions,
  });
  return { main: main.name, retries: retries.map(size), deadLetters: size(deadLetters) };
}

function problemsOf(spec: TopicSpec, found: TopicDescription | undefined): string[] {
  return found === undefined ? [`${spec.name}: could not be created.`] : checkTopic(spec, found);
}
