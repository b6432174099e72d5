import type { KafkaAdmin, PartitionOffsets, TopicPartition } from '@genesys-kafka/kafka';
import { RecordsGoneError } from '../errors.ts';

export interface GapCheckOptions {
  readonly admin: Pick<KafkaAdmin, 'offsets' | 'groupOffsets'>;
  readonly groupId: string;
  /** The operator has said that the loss is known: go on with what is there. */
  readonly accept: boolean;
  readonly onAccepted: (error: RecordsGoneError) => void;
}

export type GapCheck = (partition: TopicPartition, readUpTo: bigint | undefined) => Promise<void>;

/**
 * Refuses to go on where records were deleted before this group read them: the client would silently begin at the
 * earliest one that is left. `readUpTo` is the next offset expected; without it the group's committed one is asked for.
 * A partition without a committed offset is a new one, and has lost nothing.
 */
export function createGapCheck(options: GapCheckOptions): GapCheck {
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
    const error = new RecordsGoneError({ groupId, topic, partition, next, first: bounds.first, end: bounds.end });
    if (!options.accept) throw error;
    options.onAccepted(error);
  };
}

interface TopicState {
  readonly committed: ReadonlyMap<number, bigint>;
  readonly log: readonly PartitionOffsets[];
}
