import {
  KafkaError,
  partitionName,
  type GroupCommit,
  type KafkaAdmin,
  type PartitionOffsets,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import { ConsumerError } from '../errors.ts';
import { isOfEarlierTopic } from './commit-note.ts';

export interface GroupPlacesOptions {
  readonly admin: Pick<KafkaAdmin, 'offsets' | 'groupCommits' | 'topicId'>;
  readonly groupId: string;
  /** Ids of the topics as they were first met; kept over memberships, and filled here. */
  readonly topicIds: Map<string, string>;
  /** Where it has no offset it never had one. */
  readonly isNew: boolean;
  /** Where it began, once and for all, where that was not at the log's start; undefined where nothing is recorded. */
  readonly startOf?: (target: TopicPartition) => bigint | undefined;
  /** The operator has said that the loss is known: go on with what is there. */
  readonly accept: boolean;
  readonly onAccepted: (error: ConsumerError) => void;
  readonly clock: Clock;
}

interface TopicState {
  readonly id: string | undefined;
  readonly commits: ReadonlyMap<number, GroupCommit>;
  readonly log: readonly PartitionOffsets[];
}

/** Brokers that have just changed roles may know an older end, or an older topic, for a moment. */
const DOUBTS = 5;
const DOUBT_MS = 1000;

/**
 * Where a group stands in its topics, held against what the topics are: refuses to go on where records were deleted
 * before this group read them, or the topic was emptied or made anew. The client would go on elsewhere, silently.
 */
export class GroupPlaces {
  readonly #options: GroupPlacesOptions;
  /** All partitions of a topic are assigned at once: they share one question to the broker. */
  readonly #asking = new Map<string, Promise<TopicState>>();

  constructor(options: GroupPlacesOptions) {
    this.#options = options;
  }

  /**
   * The offset to go on at: `readUpTo`, the next one expected, or without it the committed one, or where it is recorded
   * to have begun. A group without any begins at the log's start, where that is the topic's or the group is new beyond doubt; where records were deleted it
   * may have lost them, since one whose offsets have expired cannot be told from a new one.
   * `outOfRange`: a broker has refused to read at `readUpTo`. Rejects with `records-gone`, unless that is accepted: then
   * it goes on at the log's start.
   */
  async goOnAt({ topic, partition }: TopicPartition, readUpTo?: bigint, outOfRange = false): Promise<bigint> {
    for (let doubts = 0; ; doubts += 1) {
      const state = await this.#ask(topic);
      const bounds = state.log.find((one) => one.partition === partition);
      // The admin answers for all partitions or fails: this one is on its way in or out.
      if (!bounds)
        throw new KafkaError('broker-not-ready', `Nothing is known of ${partitionName({ topic, partition })}.`);
      const known = readUpTo ?? state.commits.get(partition)?.offset;
      const next = known ?? this.#options.startOf?.({ topic, partition });
      const isLeft = readUpTo === undefined && isOfEarlierTopic(state.commits.get(partition), state.id);
      const anew = this.#isAnew(topic, state.id) || isLeft;
      const gone = anew ? MADE_ANEW : next === undefined && this.#options.isNew ? undefined : whatIsGone(next, bounds);
      // A position of this process may be ahead of an end that was read a moment ago.
      const isAhead = readUpTo !== undefined && readUpTo > bounds.end && !outOfRange;
      if (gone === undefined || (isAhead && !anew)) return next ?? bounds.first;
      if ((anew || (next ?? 0n) > bounds.end) && doubts < DOUBTS) {
        await this.#options.clock.sleep(DOUBT_MS);
        continue;
      }
      const error = this.#recordsGone({ topic, partition }, next, gone);
      if (!this.#options.accept) throw error;
      if (state.id !== undefined) this.#options.topicIds.set(topic, state.id);
      this.#options.onAccepted(error);
      return bounds.first;
    }
  }

  /** What the group has committed there, in this very topic. */
  async kept({ topic, partition }: TopicPartition): Promise<GroupCommit | undefined> {
    const { id, commits } = await this.#ask(topic);
    const commit = commits.get(partition);
    return isOfEarlierTopic(commit, id) ? undefined : commit;
  }

  /** What is under way was asked before something was committed, by this member or by another: it answers no question from now on. */
  askAnew(): void {
    this.#asking.clear();
  }

  /** Before a commit: rejects with `records-gone` where a topic is not the one that was read from any more. */
  async checkTopics(topics: Iterable<string>): Promise<void> {
    for (const topic of new Set(topics)) {
      for (let doubts = 0; this.#isAnew(topic, await this.#options.admin.topicId(topic)); doubts += 1) {
        if (doubts >= DOUBTS) throw this.#recordsGone({ topic }, undefined, MADE_ANEW);
        await this.#options.clock.sleep(DOUBT_MS);
      }
    }
  }

  #isAnew(topic: string, id: string | undefined): boolean {
    const known = this.#options.topicIds.get(topic);
    if (known === undefined && id !== undefined) this.#options.topicIds.set(topic, id);
    return known !== undefined && id !== undefined && known !== id;
  }

  async #ask(topic: string): Promise<TopicState> {
    const known = this.#asking.get(topic);
    if (known) return known;
    const question = this.#askNow(topic).finally(() => {
      if (this.#asking.get(topic) === question) this.#asking.delete(topic);
    });
    this.#asking.set(topic, question);
    return question;
  }

  async #askNow(topic: string): Promise<TopicState> {
    const { admin, groupId } = this.#options;
    // In this order: an end read before a commit could lie below it.
    const commits = await admin.groupCommits(groupId, topic);
    const log = await admin.offsets(topic);
    return { id: await admin.topicId(topic), commits, log };
  }

  #recordsGone(
    { topic, partition }: { readonly topic: string; readonly partition?: number },
    next: bigint | undefined,
    gone: string,
  ): ConsumerError {
    const { groupId } = this.#options;
    const where = partition === undefined ? topic : `${topic} partition ${partition}`;
    const stands = next === undefined || next < 0n ? 'has no offset' : `stands at offset ${next}`;
    const details = { groupId, topic, ...(partition === undefined ? {} : { partition }) };
    return new ConsumerError('records-gone', `${where}: group ${groupId} ${stands}, but ${gone}.`, { details });
  }
}

const MADE_ANEW = 'the topic was deleted and created anew';

const NEW_OR_EXPIRED = 'either its route is new and starts there, or its offsets have expired and records were lost';

/** In words; undefined where nothing is. */
function whatIsGone(next: bigint | undefined, { first, end }: PartitionOffsets): string | undefined {
  if (next === undefined) return first > 0n ? `the log begins at ${first}: ${NEW_OR_EXPIRED}` : undefined;
  if (next < 0n) return 'it had one: the client has reset it';
  if (next < first) return `the log begins at ${first}: ${first - next} offsets were deleted before they were read`;
  return next > end ? `the log ends at ${end}: the topic was emptied or created anew` : undefined;
}
