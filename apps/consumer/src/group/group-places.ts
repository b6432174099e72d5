import type { KafkaAdmin, PartitionOffsets, TopicPartition } from '@genesys-kafka/kafka';
import { ConsumerError } from '../errors.ts';

export interface RetentionGapOptions {
  readonly admin: Pick<KafkaAdmin, 'offsets' | 'groupOffsets'>;
  readonly groupId: string;
  /** The operator has said that the loss is known: go on with what is there. */
  readonly accept: boolean;
  readonly onAccepted: (error: ConsumerError) => void;
}

export type RetentionGapCheck = (partition: TopicPartition, readUpTo: bigint | undefined) => Promise<void>;

/**
 * Refuses to go on where records were deleted before this group read them: the client would silently begin at the
 * earliest one that is left. `readUpTo` is the next offset expected; without it the group's committed one is asked for.
 * A partition without a committed offset is a new one, and has lost nothing.
 */
export function createRetentionGapCheck(options: RetentionGapOptions): RetentionGapCheck {
  const { admin, groupId } = options;
  // All partitions of a topic are assigned at once: they share one question to the broker.
  const asking = new Map<string, Promise<TopicState>>();
  const ask = async (topic: string): Promise<TopicState> => {
    const known = asking.get(topic);
    if (known) return known;
    const question = askNow(topic).finally(() => asking.delete(topic));
    asking.set(topic, question);
    return question;
  };
  const askNow = async (topic: string): Promise<TopicState> => {
    // In this order: an end read before a commit could lie below it.
    const committed = await admin.groupOffsets(groupId, topic);
    return { committed, log: await admin.offsets(topic) };
  };
  return async ({ topic, partition }, readUpTo) => {
    const { committed, log } = await ask(topic);
    const next = readUpTo ?? committed.get(partition);
    const bounds = log.find((one) => one.partition === partition);
    if (next === undefined || bounds === undefined) return;
    if (next >= bounds.first && next <= bounds.end) return;
    // A position of this process may be ahead of an end that was read a moment ago.
    if (readUpTo !== undefined && next > bounds.end) return;
    const error = recordsGone(groupId, { topic, partition }, next, bounds);
    if (!options.accept) throw error;
    options.onAccepted(error);
  };
}

interface TopicState {
  readonly committed: ReadonlyMap<number, bigint>;
  readonly log: readonly PartitionOffsets[];
}

function recordsGone(
  groupId: string,
  { topic, partition }: TopicPartition,
  next: bigint,
  { first, end }: PartitionOffsets,
): ConsumerError {
  const where = `${topic} partition ${partition}: group ${groupId} stands at offset ${next}`;
  const what =
    next < first
      ? `the log begins at ${first}: ${first - next} offsets were deleted before they were read`
      : `the log ends at ${end}: the topic was emptied or created anew`;
  return new ConsumerError('records-gone', `${where}, but ${what}.`, { details: { groupId, topic, partition } });
}
