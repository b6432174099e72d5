import type { TopicDescription, TopicSpec } from '@genesys-kafka/topics';
import type { KafkaCompression } from './wire/codecs.ts';
import type { TopicRights } from './wire/topic-id.ts';

/**
 * What the rest of the program knows of Kafka. Two clients can stand behind it (kafkajs today);
 * neither their types nor their errors pass through. Every failure is a `KafkaError`.
 */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Header values are UTF-8 text; a header whose value is undefined is left out. */
export type OutgoingHeaders = Readonly<Record<string, string | Buffer | undefined>>;

export interface OutgoingRecord {
  readonly key: string | Buffer | null;
  /** Several pieces are written one after the other: a frame and the bytes it frames need not be joined first. */
  readonly value: Buffer | readonly Buffer[] | null;
  readonly headers?: OutgoingHeaders;
}

/**
 * Records of one partition as they will lie in one batch, encoded and compressed: all that does not depend on who sends
 * them, and when. Header and checksum are made at the sending.
 */
export interface EncodedBatch {
  readonly count: number;
  readonly compression: KafkaCompression;
  /** The encoded records' length before compression. */
  readonly rawBytes: number;
  readonly bytes: Buffer;
}

export interface ConsumedRecord extends TopicPartition {
  readonly offset: bigint;
  /** Milliseconds since the epoch, as the broker or the producer stamped it. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** May be made anew each time it is asked for. */
  readonly headers: Readonly<Record<string, Buffer>>;
  /** Their length as they came, where that is known without looking at them. */
  readonly headerBytes?: number;
}

/**
 * One transactional id. `begin` is what fences: the first one after construction makes every earlier
 * instance's open transaction uncommittable. Any rejected call of the producer or of its transaction leaves the
 * outcome unknown: close the producer, read the log, never guess (docs/exactly-once.md, rule 5).
 */
export interface TransactionalProducer {
  begin(): Promise<Transaction>;
  /** Never rejects and never takes more than about a second; an open transaction is left to the broker to abort. */
  close(): Promise<void>;
}

/** So many batches of a producer's a broker remembers for each partition, and knows where they come again (KIP-98). */
export const MOST_BATCHES = 5;

export interface Transaction {
  /**
   * Appends to one topic-partition. Sends to different partitions may run at once; two sends for one partition must
   * not overlap (asserted). All sends must have settled before `commit` or `abort`.
   */
  send(target: TopicPartition, records: readonly OutgoingRecord[]): Promise<void>;
  /**
   * The same for records that are encoded and compressed already: batches, as they are and in their order, at most
   * `MOST_BATCHES`. They are under way at once.
   */
  sendBatches(target: TopicPartition, batches: readonly EncodedBatch[]): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/**
 * Idempotent, without transactions: for moves to retry and dead-letter topics. Resolves when all in-sync replicas have
 * the records. After a rejection the inner client is discarded and the next `send` starts a fresh one, so a rejected
 * send may or may not be in the log, and never corrupts a later one.
 */
export interface Producer {
  send(target: TopicPartition, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** A piece of a partition as one fetch brought it. `records` may be empty (markers, aborted data, an idle poll). */
export interface PartitionSlice {
  readonly records: readonly ConsumedRecord[];
  /** Where the next slice starts: one past the last offset covered, control records included. */
  readonly nextOffset: bigint;
  /** Last stable offset: committed records end here. */
  readonly lastStableOffset: bigint;
  /** Where the log ends: beyond the last stable offset while a transaction is open in between. */
  readonly highWatermark: bigint;
}

/**
 * A committed record where it lies in what was fetched: good until the call to which it is handed ends. Where records
 * are shown (`ReadOptions.visit`), the bytes stay as long as somebody holds them.
 */
export interface RecordView {
  readonly bytes: Buffer;
  readonly keyFrom: number;
  /** Less than `keyFrom` where there is no key; likewise for the value. */
  readonly keyTo: number;
  readonly valueFrom: number;
  readonly valueTo: number;
  readonly offset: bigint;
}

export interface ReadOptions {
  /** `'start'` is the log's first offset. */
  readonly from: 'start' | bigint;
  /** Is shown each record, and the slices hold none: for reading millions of small ones, of which few are kept. */
  readonly visit?: (record: RecordView) => void;
  /** Is asked of each record whether slices hold it: for looking for a few among millions. */
  readonly wants?: (record: RecordView) => boolean;
  readonly signal?: AbortSignal;
  /** How long one fetch may wait for data; default 500 ms. */
  readonly maxWaitMs?: number;
}

/**
 * Handed to a group's handler: one partition's records in offset order. `records` may be empty (markers only): commit
 * `nextOffset` all the same, or the lag never reaches 0.
 */
export interface GroupBatch extends TopicPartition {
  /**
   * The offset that was asked for: the committed one in an assignment's first batch, or the log's start where nothing is
   * committed; then the `nextOffset` of the batch before. Another one is possible, as after a move of the client's own:
   * compare, and `seek`.
   */
  readonly from: bigint;
  /** The log does not hold `from`: nothing was read, and nothing will be until a `seek`. */
  readonly outOfRange: boolean;
  readonly records: readonly ConsumedRecord[];
  /** How many records it held besides: those that `GroupOptions.wants` did not want. */
  readonly unwanted: number;
  /** One past the last offset of the fetch, control records included: what to commit when all is settled. */
  readonly nextOffset: bigint;
  /** In which the records lie, and nothing else: may be given back by whoever knows that nobody reads them any more. */
  readonly memory?: readonly Buffer[];
}

export interface GroupHandler {
  /** Called for one batch of a partition at a time, for different partitions at once. Resolving does not commit. */
  onBatch(batch: GroupBatch, assignment: GroupAssignment): Promise<void>;
  /** After a rebalance, with everything now assigned. */
  onAssigned?(partitions: readonly TopicPartition[]): void;
  /**
   * Before these partitions may go elsewhere: stop work on them and commit what is finished. What is asked for before
   * this returns is sent before anything is handed out anew; later commits may come too late, and are then rejected.
   */
  onRevoked?(partitions: readonly TopicPartition[]): void;
  /**
   * Others may have had these partitions since they were assigned here, whether they come back or not: what was done on
   * them may not be committed any more, or their group would stand where it stood before. Told before anything else is
   * told of the new assignment.
   */
  onLost?(partitions: readonly TopicPartition[]): void;
  /** The group can no longer be read (fatal client error); the consumer is stopped. */
  onCrash(error: Error): void;
}

export interface GroupAssignment {
  /** False once this partition's assignment has ended or a `seek` moved it: what is in hand must not be committed. */
  isCurrent(): boolean;
  /** Keeps the membership alive during long work. */
  heartbeat(): Promise<void>;
}

export interface GroupOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** What one fetch brings at most, of all partitions together; one batch where that is larger (KIP-74). By default 1 MiB. */
  readonly maxFetchBytes?: number;
  readonly sessionTimeoutMs?: number;
  /** A rebalance leaves members what they hold, as far as shares are even; all members of the group have to ask for it. */
  readonly keepsPartitions?: true;
  /** Asked of each record that is fetched: what is not wanted is counted, and not made. */
  readonly wants?: ((topic: string, record: RecordView) => boolean) | undefined;
  /** Kept with each offset that is committed, made of the note that the commit brings; see `KafkaAdmin.groupCommits`. */
  readonly commitNote?: (topic: string, own: string | undefined) => string;
}

/** A member of a consumer group: read_committed, a new group starts at the earliest offset, commits are explicit. */
export interface GroupConsumer {
  /** How long ago a broker last answered this member, in milliseconds: each third of its session time-out, if not sooner. */
  readonly silentMs: number;
  start(handler: GroupHandler): Promise<void>;
  /** Partitions that are not assigned any more are left out, and then the call rejects with `partition-not-assigned`. */
  commit(
    offsets: readonly (TopicPartition & { readonly offset: bigint; readonly note?: string | undefined })[],
  ): Promise<void>;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  seek(target: TopicPartition, offset: bigint): void;
  /** Leaves the group; resolves when the batches in hand have been let go. */
  stop(): Promise<void>;
}

export interface PartitionOffsets {
  readonly partition: number;
  readonly first: bigint;
  /** Last stable offset. */
  readonly end: bigint;
}

export interface GroupCommit {
  readonly offset: bigint;
  readonly note: string;
}

export interface KafkaAdmin {
  /** Brokers that answered, for `check` and for choosing a replication factor. */
  brokers(): Promise<readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]>;
  /** Undefined for a topic that does not exist. */
  describeTopic(name: string): Promise<TopicDescription | undefined>;
  /**
   * Creates the topics that are missing (replication 3 and min.insync.replicas 2 where there are three brokers, one of
   * them away or not) and resolves once their leaders are known. Never alters one that exists.
   */
  createMissing(topics: readonly TopicSpec[]): Promise<readonly string[]>;
  offsets(topic: string): Promise<readonly PartitionOffsets[]>;
  /** The first offset of each partition whose record is of that moment or later; the end where there is none. */
  offsetsAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, bigint>>;
  /** How many offsets at the end of a topic open transactions hide, by partition: log end minus last stable offset. */
  hidden(topic: string): Promise<ReadonlyMap<number, bigint>>;
  /** Changes when a topic is deleted and made again; undefined where there is no topic, or brokers before Kafka 2.8. */
  topicId(topic: string): Promise<string | undefined>;
  /**
   * What a group has committed, by partition; partitions without an offset are absent. A negative one is no position,
   * but shows that the group had one.
   */
  groupCommits(groupId: string, topic: string): Promise<ReadonlyMap<number, GroupCommit>>;
  /** Rejects as making these topics would; makes none. */
  tryCreate(topics: readonly TopicSpec[]): Promise<void>;
  /**
   * What this login may do to a topic; nothing to one that it may not see. Undefined where there is no topic, or brokers
   * before Kafka 2.8.
   */
  topicRights(topic: string): Promise<TopicRights | undefined>;
  /** Whether this login may write as a transactional id; fences nobody and leaves nothing behind. */
  mayTransact(transactionalId: string): Promise<boolean>;
  /** Whether this login may be in a group; joins nothing and leaves nothing behind. */
  mayJoin(groupId: string): Promise<boolean>;
}

export interface KafkaClient {
  transactionalProducer(transactionalId: string): TransactionalProducer;
  producer(): Producer;
  groupConsumer(options: GroupOptions): GroupConsumer;
  /** Reads one partition, read_committed, without a group; goes on polling at the end until the reader stops. */
  read(target: TopicPartition, options: ReadOptions): AsyncIterable<PartitionSlice>;
  readonly admin: KafkaAdmin;
  close(): Promise<void>;
}
