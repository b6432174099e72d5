import type { EncodedBatch, OutgoingRecord } from '@genesys-kafka/kafka';
import { BatchBuilder, type KafkaCompression } from '@genesys-kafka/kafka/wire';
import { DigestTable } from './digest-table.ts';
import { ID_WORDS, invalidId, packId } from './packed-id.ts';
import {
  encodeDigest,
  isSameContent,
  isSameVersion,
  packState,
  STATE_WORDS,
  verdictOn,
  type RecordVersion,
  type Verdict,
} from './packed-state.ts';
import type { TopicsTag } from './topics-tag.ts';

/** About a thousand records: kafkajs's work on a send grows with the square of their number. */
export const MAX_BATCH_BYTES = 128 * 1024;
/** A step publishes some hundreds of records. */
const STEP_ENTRIES = 512;

/**
 * Says of a window's records which are to be published, by what its lane published last of their day. Windows of a day
 * share what is known. To be disposed when the window is no more in work.
 */
export interface ChangeJudge extends Disposable {
  /**
   * Does `work` when all that came before it has been done with: its records are judged, handed to the publisher, and
   * kept in mind, before any others of that day are looked at. Loads the day first, where no other window has: rejects
   * with `lane-interrupted`, `ledger-blocked` or a KafkaError.
   */
  inTurn<T>(work: (turn: Turn) => Promise<T>): Promise<T>;
}

/**
 * Records of one step, judged in their order. Nothing is remembered before `keep`, which is to be called at once when
 * the publisher has taken them, so that the memory and the publisher never know of different records.
 */
export interface Turn {
  /** What is to become of the next record. `digest`: SHA-256 of its content. */
  judge(conversationId: Buffer, digest: Buffer, version: RecordVersion): Verdict;
  /**
   * The same of a record that is no conversation, and may have no id: its content is its identity. `unchanged` where
   * another reading of the day has made a dead letter of that already.
   */
  judgeInvalid(digest: Buffer, version: RecordVersion): 'new' | 'unchanged';
  /** Of what is to be published, for the same transaction. */
  digests(): Promise<readonly EncodedBatch[]>;
  keep(): void;
}

/** What a day's digests are written with. */
export interface DigestFormat {
  readonly tag: TopicsTag;
  /** In place of `tag`, for what lies on the dead-letter topic. */
  readonly deadLettersTag: TopicsTag;
  readonly compression: KafkaCompression;
}

export class JudgedTurn implements Turn {
  readonly #known: DigestTable;
  readonly #prefix: Buffer;
  readonly #format: DigestFormat;
  readonly #nowMs: number;
  readonly #published = new DigestTable(STEP_ENTRIES);
  readonly #builders: BatchBuilder[] = [];
  readonly #id = new Int32Array(ID_WORDS);
  readonly #state = new Int32Array(STATE_WORDS);

  /** `known`: of the day that keys with `prefix` belong to. */
  constructor(known: DigestTable, prefix: string, format: DigestFormat, nowMs: number) {
    this.#known = known;
    this.#prefix = Buffer.from(prefix);
    this.#format = format;
    this.#nowMs = nowMs;
  }

  judge(conversationId: Buffer, digest: Buffer, version: RecordVersion): Verdict {
    packId(conversationId, 0, conversationId.length, this.#id);
    packState(digest, version, this.#state);
    const last = this.#published.get(this.#id) ?? this.#known.get(this.#id);
    const verdict = verdictOn(this.#state, last, this.#nowMs);
    if (verdict === 'new' || verdict === 'changed') this.#take(conversationId, this.#format.tag);
    return verdict;
  }

  judgeInvalid(digest: Buffer, version: RecordVersion): 'new' | 'unchanged' {
    const id = invalidId(digest);
    packId(id, 0, id.length, this.#id);
    packState(digest, version, this.#state);
    const last = this.#published.get(this.#id) ?? this.#known.get(this.#id);
    // The same bytes twice in one reading are two records.
    if (last && isSameContent(this.#state, last) && !isSameVersion(this.#state, last)) return 'unchanged';
    this.#take(id, this.#format.deadLettersTag);
    return 'new';
  }

  #take(id: Buffer, tag: TopicsTag): void {
    this.#published.set(this.#id, this.#state);
    this.#add({ key: Buffer.concat([this.#prefix, id]), value: encodeDigest(this.#state, tag) });
  }

  async digests(): Promise<readonly EncodedBatch[]> {
    return Promise.all(this.#builders.map(async (builder) => builder.buildOnPool(this.#format.compression)));
  }

  keep(): void {
    for (const [id, state] of this.#published) this.#known.set(id, state);
  }

  #add(record: OutgoingRecord): void {
    if (this.#builders.at(-1)?.add(record)) return;
    const builder = new BatchBuilder(MAX_BATCH_BYTES);
    builder.add(record);
    this.#builders.push(builder);
  }
}
