import { Worker } from 'node:worker_threads';
import type { ScannedRecord } from '@genesys-kafka/record-parser';
import { oversizeDigest, type BatchValidator, type ValidatedRecord } from './batch-validator.ts';
import {
  DIGEST_BYTES,
  type Place,
  type ThreadOptions,
  type ThreadReply,
  type ThreadRequest,
} from './thread-messages.ts';

/** Holds what a 256 KiB piece of a document completes, or a step of a page; more gets a buffer of its own. */
const POOLED_BYTES = 1024 * 1024;
const MAX_POOLED = 6;
/** Its memory is garbage of parsing: a small young generation keeps the process small; at 2 MB it costs a tenth. */
const LIMITS = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 128 };

/**
 * Validates on a thread of its own, while this one inflates, scans and sends: the records are copied into shared
 * memory, and what becomes of them comes back. Several calls may be under way; they are answered in their order.
 */
export class ValidatingThread implements BatchValidator {
  readonly #worker: Worker;
  readonly #pending: PromiseWithResolvers<ThreadReply>[] = [];
  readonly #pool: SharedArrayBuffer[] = [];
  #failure: Error | undefined;

  constructor(options: ThreadOptions) {
    const file = new URL('./validating-thread-worker.ts', import.meta.url);
    this.#worker = new Worker(file, { workerData: options, resourceLimits: LIMITS });
    this.#worker.on('message', (reply: ThreadReply) => this.#pending.shift()?.resolve(reply));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the validating thread has ended')));
    // Work under way holds the process; the thread alone does not.
    this.#worker.unref();
  }

  async validate(records: readonly ScannedRecord[], from: number): Promise<ValidatedRecord[]> {
    if (this.#failure) throw this.#failure;
    const kept = records.filter((record) => record.bytes !== undefined);
    const buffer = this.#takeBuffer(kept.reduce((sum, record) => sum + record.length, 0));
    const { digests, outcomes } = await this.#ask({ buffer, places: place(kept, buffer, from) });
    if (buffer.byteLength === POOLED_BYTES && this.#pool.length < MAX_POOLED) this.#pool.push(buffer);
    let next = 0;
    return records.map((record): ValidatedRecord => {
      if (!record.bytes) return { ...record, digest: oversizeDigest(record), outcome: undefined };
      const digest = Buffer.from(digests.buffer, next * DIGEST_BYTES, DIGEST_BYTES);
      const outcome = outcomes[next];
      next += 1;
      return { ...record, digest, outcome };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask(request: ThreadRequest): Promise<ThreadReply> {
    const reply = Promise.withResolvers<ThreadReply>();
    this.#pending.push(reply);
    this.#worker.ref();
    this.#worker.postMessage(request);
    try {
      return await reply.promise;
    } finally {
      if (this.#pending.length === 0) this.#worker.unref();
    }
  }

  #takeBuffer(bytes: number): SharedArrayBuffer {
    const pooled = bytes <= POOLED_BYTES ? this.#pool.pop() : undefined;
    return pooled ?? new SharedArrayBuffer(Math.max(bytes, POOLED_BYTES));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const reply of this.#pending.splice(0)) reply.reject(error);
  }
}

/** Copies the records' bytes into the buffer, one after the other. */
function place(records: readonly ScannedRecord[], buffer: SharedArrayBuffer, from: number): Place[] {
  const target = new Uint8Array(buffer);
  let end = 0;
  return records.map(({ bytes, length, ordinal, members }): Place => {
    const start = end;
    target.set(bytes!, start);
    end += length;
    return { start, length, members: ordinal >= from ? members : undefined };
  });
}
