import { contentDigest, tooCostly } from '@genesys-kafka/conversation';
import type { ScannedRecord } from '@genesys-kafka/record-parser';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { oversizeDigest, type BatchValidator, type ValidatedRecord, type Validation } from './batch-validator.ts';
import { DIGEST_BYTES, type Place, type ThreadOptions } from './thread-messages.ts';
import { startWorker, ThreadLost, ThreadSession, type ThreadWorker } from './thread-session.ts';

/** Holds what a 256 KiB piece of a document completes, or a step of a page; more gets a buffer of its own. */
const POOLED_BYTES = 1024 * 1024;
const MAX_POOLED = 6;

/** A record with its bytes. */
type KeptRecord = ScannedRecord & { readonly bytes: Buffer };

/**
 * Validates on a thread of its own, while this one inflates, scans and sends: the records are copied into shared
 * memory, and what becomes of them comes back. Several calls may be under way.
 *
 * No record ends it: when the thread hangs or runs out of memory, a new one takes its place, and the records it was at
 * are validated one by one. The one on which that thread is lost too is `record-too-costly`.
 */
export class ValidatingThread implements BatchValidator {
  readonly #start: () => ThreadSession;
  readonly #pool: SharedArrayBuffer[] = [];
  #session: ThreadSession;
  #isClosed = false;

  constructor(
    options: ThreadOptions,
    start: (options: ThreadOptions) => ThreadWorker = startWorker,
    clock: Clock = systemClock,
  ) {
    this.#start = () => new ThreadSession(start(options), clock);
    this.#session = this.#start();
  }

  async validate(records: readonly ScannedRecord[], from: number): Promise<ValidatedRecord[]> {
    const kept = records.filter((record): record is KeptRecord => record.bytes !== undefined);
    const validations = await this.#validate(kept, from);
    let next = 0;
    return records.map((record): ValidatedRecord => {
      if (!record.bytes) return { ...record, digest: oversizeDigest(record), outcome: undefined };
      const validation = validations[next]!;
      next += 1;
      return { ...record, ...validation };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#session.close();
  }

  /** `isSuspected`: a thread was lost on these records, or on a batch with them, before. */
  async #validate(records: readonly KeptRecord[], from: number, isSuspected = false): Promise<Validation[]> {
    for (;;) {
      try {
        return await this.#ask(records, from);
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error;
        if (!error.isAtFault) continue;
        const [only] = records;
        if (isSuspected && records.length === 1) return [tooCostlyFor(only!, from, error)];
        const each: Validation[] = [];
        for (const record of records) each.push(...(await this.#validate([record], from, true)));
        return each;
      }
    }
  }

  async #ask(records: readonly KeptRecord[], from: number): Promise<Validation[]> {
    if (this.#session.isOver && !this.#isClosed) this.#session = this.#start();
    const buffer = this.#takeBuffer(records.reduce((sum, record) => sum + record.length, 0));
    const { digests, outcomes } = await this.#session.ask({ buffer, places: place(records, buffer, from) });
    // Not after a failure: the lost thread may still be reading it.
    if (buffer.byteLength === POOLED_BYTES && this.#pool.length < MAX_POOLED) this.#pool.push(buffer);
    return outcomes.map((outcome, index) => {
      return { digest: Buffer.from(digests.buffer, index * DIGEST_BYTES, DIGEST_BYTES), outcome };
    });
  }

  #takeBuffer(bytes: number): SharedArrayBuffer {
    const pooled = bytes <= POOLED_BYTES ? this.#pool.pop() : undefined;
    return pooled ?? new SharedArrayBuffer(Math.max(bytes, POOLED_BYTES));
  }
}

function tooCostlyFor({ bytes, ordinal }: KeptRecord, from: number, { message }: ThreadLost): Validation {
  return { digest: contentDigest(bytes), outcome: ordinal >= from ? tooCostly(message) : undefined };
}

/** Copies the records' bytes into the buffer, one after the other. */
function place(records: readonly KeptRecord[], buffer: SharedArrayBuffer, from: number): Place[] {
  const target = new Uint8Array(buffer);
  let end = 0;
  return records.map(({ bytes, length, ordinal, members }): Place => {
    const start = end;
    target.set(bytes, start);
    end += length;
    return { start, length, members: ordinal >= from ? members : undefined };
  });
}
