import { MOST_TIERS } from '@genesys-kafka/delivery/settings';
import { prepareTopics, type KafkaAdmin } from '@genesys-kafka/kafka';
import { topicSpecs, type TopicSize, type TopicSpec } from '@genesys-kafka/topics';
import type { Settings } from '../settings.ts';

/** The topics that the consumer reads and writes, with the partitions they really have. */
export interface ConsumerTopics {
  readonly main: string;
  /** By tier, those of the configuration. */
  readonly retries: readonly TopicSize[];
  /** Of tiers that are in the configuration no more: nothing is written to them, what lies there is read. */
  readonly leftovers: readonly string[];
  readonly deadLetters: TopicSize;
}

export function consumerSpecs(settings: Pick<Settings, 'kafka' | 'retry'>): {
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

/**
 * Creates the topics that are missing, checks those that are there, and finds retry topics of an earlier configuration;
 * throws `topic-unfit` with all that is wrong.
 */
export async function prepareConsumerTopics(
  { admin }: { readonly admin: Pick<KafkaAdmin, 'createMissing' | 'describeTopic'> },
  settings: Pick<Settings, 'kafka' | 'retry'>,
): Promise<ConsumerTopics> {
  const { main, retries, deadLetters } = consumerSpecs(settings);
  const [, ...found] = await prepareTopics(admin, [main, ...retries, deadLetters]);
  const sizes = found.map(({ name, partitions }) => ({ topic: name, partitions }));
  const leftovers = await leftoverRetries(admin, settings);
  return { main: main.name, retries: sizes.slice(0, -1), leftovers, deadLetters: sizes.at(-1)! };
}

/** All that the groups read: a topic that nobody reads would hold records that nobody misses. */
export function sourcesOf({ main, retries, leftovers }: ConsumerTopics): string[] {
  return [main, ...retries.map(({ topic }) => topic), ...leftovers];
}

async function leftoverRetries(
  admin: Pick<KafkaAdmin, 'describeTopic'>,
  { kafka, retry }: Pick<Settings, 'kafka' | 'retry'>,
): Promise<string[]> {
  const possible = topicSpecs({ prefix: kafka.topicPrefix, retryTiers: MOST_TIERS }).retries;
  const names = possible.slice(retry.tiersMs.length).map(({ name }) => name);
  const found = await Promise.all(names.map(async (name) => admin.describeTopic(name)));
  return names.filter((_, index) => found[index] !== undefined);
}
