import { KafkaError, prepareTopics, type KafkaClient } from '@genesys-kafka/kafka';
import { topicSpecs, type TopicDescription, type TopicSize, type TopicSpec } from '@genesys-kafka/topics';
import type { Settings } from '../settings.ts';

/** A topic that records are moved to. */
export interface MoveTarget extends TopicSize {
  /** The most that it takes in one batch. */
  readonly maxBytes: number;
}

/** The topics that the consumer reads and writes, as they really are. */
export interface ConsumerTopics {
  readonly main: string;
  readonly retries: readonly MoveTarget[];
  readonly replays: MoveTarget;
  /** Absent where dead letters go to object storage alone. */
  readonly deadLetters: MoveTarget | undefined;
}

export function consumerSpecs(settings: Settings): {
  main: TopicSpec;
  retries: readonly TopicSpec[];
  replays: TopicSpec;
  deadLetters: TopicSpec;
  controls: TopicSpec;
} {
  const { data, retries, replays, deadLetters, controls } = topicSpecs({
    prefix: settings.kafka.topicPrefix,
    dataPartitions: settings.kafka.partitions,
    retryTiers: settings.retry.tiersMs.length,
  });
  return { main: data, retries, replays, deadLetters, controls };
}

/** Creates the topics that are missing and checks those that are there; throws `topic-unfit` with all that is wrong. */
export async function prepareConsumerTopics({ admin }: KafkaClient, settings: Settings): Promise<ConsumerTopics> {
  const { main, retries, replays, deadLetters } = consumerSpecs(settings);
  const { topic } = settings.deadLetters;
  const targets = [...retries, replays, ...(topic ? [deadLetters] : [])];
  const [source, ...found] = await prepareTopics(admin, [main, ...targets]);
  const problems = tooSmallFor(source!, found);
  if (problems.length > 0) throw new KafkaError('topic-unfit', problems.join(' '));
  const moves = found.map(({ name, partitions, config }, index) => {
    const maxBytes = Number({ ...targets[index]!.config, ...config }['max.message.bytes']);
    return { topic: name, partitions, maxBytes };
  });
  return {
    main: main.name,
    retries: moves.slice(0, retries.length),
    replays: moves[retries.length]!,
    deadLetters: moves[retries.length + 1],
  };
}

/** A record of the main topic is moved whole: what takes less than that one would refuse it. */
function tooSmallFor(main: TopicDescription, targets: readonly TopicDescription[]): string[] {
  const limit = ({ config }: TopicDescription) => Number(config['max.message.bytes']);
  return targets
    .filter((target) => limit(target) < limit(main))
    .map(
      (target) =>
        `${target.name}: max.message.bytes is ${limit(target)}, needed are the ${limit(main)} of ${main.name}. Raise it.`,
    );
}
