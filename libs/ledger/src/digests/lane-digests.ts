import assert from 'node:assert/strict';
import {
  OPEN_TRANSACTION_MS,
  partitionName,
  type EncodedBatch,
  type KafkaClient,
  type RecordView,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { BatchBuilder } from '@genesys-kafka/kafka/wire';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { claimKey } from '../entries.ts';
import { LedgerError } from '../errors.ts';
import type { ClaimedLane } from '../lane.ts';
import type { LanePublisher } from '../publisher.ts';
import { JudgedTurn, MAX_BATCH_BYTES, type ChangeJudge, type DigestFormat, type Turn } from './change-judge.ts';
import { DigestTable } from './digest-table.ts';
import { ID_WORDS, isInvalidId, packId } from './packed-id.ts';
import { decodeDigest, STATE_WORDS } from './packed-state.ts';

export interface LaneDigestsOptions {
  readonly client: Pick<KafkaClient, 'read'>;
  /** Its identity names the partition of the digests. */
  readonly lane: ClaimedLane;
  readonly publisher: LanePublisher;
  readonly format: DigestFormat;
  /** The run is stopped. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** A day while windows of it are in work. */
interface HeldDay {
  readonly prefix: string;
  windows: number;
  table: Promise<DigestTable> | undefined;
  /** Ends when the last turn so far has. */
  lastTurn: Promise<unknown>;
}

/** How many tombstones one call of `expire` writes at most: some 20 MiB of memory. */
const MOST_EXPIRED = 250_000;

/**
 * The digests of a lane while it is held: what its windows published last of each conversation of a day. Lives as long
 * as its publisher: when that is interrupted, what became of its transaction is unknown, and so is what this holds.
 *
 * The digest of a record is written in the record's own transaction. A day is loaded when its first record is to be
 * judged: a mark with a fresh nonce is committed to the partition and all before it is read (docs/exactly-once.md,
 * rule 3), while other days go on being published.
 */
export class LaneDigests {
  readonly #options: LaneDigestsOptions;
  readonly #clock: Clock;
  readonly #partition: TopicPartition;
  readonly #days = new Map<string, HeldDay>();
  #marks = 0;

  constructor(options: LaneDigestsOptions) {
    const { digests } = options.lane.identity;
    assert(digests, 'the lane has no partition for digests');
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#partition = digests;
  }

  /** Of a window of this day (UTC, `2026-01-31`). `scope`: whose digests they are; it is this lane's alone. */
  judge(scope: string, day: string): ChangeJudge {
    const prefix = `${scope}/${day}/`;
    const held = this.#days.get(prefix) ?? { prefix, windows: 0, table: undefined, lastTurn: Promise.resolve() };
    this.#days.set(prefix, held);
    held.windows += 1;
    let isHeld = true;
    return {
      inTurn: async (work) => {
        assert(isHeld, 'the window is no more in work');
        return this.#inTurn(held, work);
      },
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        held.windows -= 1;
        if (held.windows === 0) this.#days.delete(prefix);
      },
    };
  }

  /**
   * Ends digests of this scope, of days before `beforeDay`, by tombstones: at most `most` of them in one call, which
   * resolves with how many; 0 where none is left. They are committed with what the publisher takes next, or by its
   * `flush`. Rejects as `ChangeJudge.inTurn` does.
   */
  async expire(scope: string, beforeDay: string, most = MOST_EXPIRED): Promise<number> {
    const start = Buffer.from(`${scope}/`);
    const isDue = (record: RecordView) => isOfDayBefore(record, start, beforeDay);
    for (let from: 'start' | bigint | undefined = 'start'; from !== undefined;) {
      const due = await this.#due(isDue, start.length, from, most);
      if (due.keys.size > 0) return this.#bury(due.keys, isDue, start.length);
      from = due.leftFrom;
    }
    return 0;
  }

  async #inTurn<T>(day: HeldDay, work: (turn: Turn) => Promise<T>): Promise<T> {
    const turn = day.lastTurn.then(async () => {
      day.table ??= this.#load(day.prefix);
      // One that fails is loaded again by whoever comes next.
      day.table.catch(() => (day.table = undefined));
      return work(new JudgedTurn(await day.table, day.prefix, this.#options.format, this.#clock.nowMs()));
    });
    day.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async #load(prefix: string): Promise<DigestTable> {
    const start = Buffer.from(prefix);
    const { tag, deadLettersTag } = this.#options.format;
    const table = new DigestTable();
    const [id, state] = [new Int32Array(ID_WORDS), new Int32Array(STATE_WORDS)];
    await this.#readAll('start', (record) => {
      const { bytes, keyFrom, keyTo, valueFrom, valueTo } = record;
      if (!startsWith(record, start)) return;
      const idFrom = keyFrom + start.length;
      packId(bytes, idFrom, keyTo, id);
      const own = isInvalidId(bytes, idFrom, keyTo) ? deadLettersTag : tag;
      if (decodeDigest(bytes, valueFrom, valueTo, own, state)) table.set(id, state);
      else table.delete(id);
    });
    return table;
  }

  /** Keys that have a digest and are due, at most so many; `leftFrom`: where the first lies that is left out. */
  async #due(isDue: (record: RecordView) => boolean, idFrom: number, from: 'start' | bigint, most: number) {
    const keys = new DigestTable();
    const [id, state] = [new Int32Array(ID_WORDS), new Int32Array(STATE_WORDS)];
    let leftFrom: bigint | undefined;
    await this.#readAll(from, (record) => {
      if (!isDue(record)) return;
      // The day is part of what is hashed.
      packId(record.bytes, record.keyFrom + idFrom, record.keyTo, id);
      if (record.valueTo < record.valueFrom) keys.delete(id);
      else if (keys.size < most || keys.get(id)) keys.set(id, state);
      else leftFrom ??= record.offset;
    });
    return { keys, leftFrom };
  }

  async #bury(keys: DigestTable, isDue: (record: RecordView) => boolean, idFrom: number): Promise<number> {
    const { format, publisher } = this.#options;
    const count = keys.size;
    const id = new Int32Array(ID_WORDS);
    const batches: Promise<EncodedBatch>[] = [];
    let builder = new BatchBuilder(MAX_BATCH_BYTES);
    await this.#readAll('start', (record) => {
      if (!isDue(record)) return;
      packId(record.bytes, record.keyFrom + idFrom, record.keyTo, id);
      if (!keys.delete(id)) return;
      const key = record.bytes.subarray(record.keyFrom, record.keyTo);
      if (builder.add({ key, value: null })) return;
      // Encoded here and now: its keys hold what was fetched with them.
      batches.push(builder.buildOnPool(format.compression));
      builder = new BatchBuilder(MAX_BATCH_BYTES);
      builder.add({ key, value: null });
    });
    batches.push(builder.buildOnPool(format.compression));
    for (const batch of batches) await publisher.writeDigests([await batch]);
    return count;
  }

  /** Every committed record up to now, those that this lane's publisher has taken included. */
  async #readAll(from: 'start' | bigint, onRecord: (record: RecordView) => void): Promise<void> {
    const { client, publisher } = this.#options;
    const isMark = await this.#mark();
    const signal = AbortSignal.any([this.#options.signal, publisher.signal]);
    const startMs = this.#clock.monotonicMs();
    const seen = { mark: false };
    const visit = (record: RecordView) => {
      seen.mark ||= isMark(record);
      if (!seen.mark) onRecord(record);
    };
    for await (const slice of client.read(this.#partition, { from, signal, visit })) {
      if (seen.mark) return;
      const waitedMs = this.#clock.monotonicMs() - startMs;
      if (waitedMs > OPEN_TRANSACTION_MS && slice.nextOffset >= slice.lastStableOffset) throw this.#blocked(waitedMs);
    }
  }

  /** Commits a mark behind all that the publisher has taken; a later one will do, for compaction may have left only that. */
  async #mark(): Promise<(record: RecordView) => boolean> {
    const { lane, publisher } = this.#options;
    const key = Buffer.from(claimKey(lane.identity.transactionalId));
    this.#marks += 1;
    const mark = this.#marks;
    const builder = new BatchBuilder();
    builder.add({ key, value: Buffer.from(`${lane.nonce}/${mark}`) });
    await publisher.writeDigests([builder.build('none')]);
    await publisher.flush();
    return ({ bytes, keyFrom, keyTo, valueFrom, valueTo }) => {
      if (keyTo - keyFrom !== key.length || key.compare(bytes, keyFrom, keyTo) !== 0) return false;
      const [nonce, number] = bytes.toString('utf8', valueFrom, valueTo).split('/');
      return nonce === lane.nonce && Number(number) >= mark;
    };
  }

  #blocked(waitedMs: number): LedgerError {
    return new LedgerError(
      'ledger-blocked',
      `Our mark in ${partitionName(this.#partition)} did not become readable within ${Math.round(waitedMs / 1000)} s: ` +
        'another transaction is open in front of it.',
    );
  }
}

function startsWith({ bytes, keyFrom, keyTo }: RecordView, start: Buffer): boolean {
  return keyTo - keyFrom > start.length && start.compare(bytes, keyFrom, keyFrom + start.length) === 0;
}

const DAY_LENGTH = 10;

/** `start`: of the keys of a scope. Days sort as texts. */
function isOfDayBefore(record: RecordView, start: Buffer, day: string): boolean {
  const from = record.keyFrom + start.length;
  return startsWith(record, start) && record.bytes.toString('latin1', from, from + DAY_LENGTH) < day;
}
