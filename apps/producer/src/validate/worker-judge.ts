import { Worker } from 'node:worker_threads';
import type { ScannedRecord } from '@genesys-kafka/record-parser';
import { DIGEST_BYTES, type JudgeReply, type JudgeRequest, type Place } from './judge-messages.ts';
import { oversizeDigest, type Judge, type JudgedRecord } from './judge.ts';

/** Holds what a 256 KiB piece of a document completes, or a step of a page; more gets a slab of its own. */
const SLAB_BYTES = 1024 * 1024;
const MAX_FREE_SLABS = 6;
/** Its memory is garbage of parsing: a small young generation keeps the process small; at 2 MB it costs a tenth. */
const LIMITS = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 128 };

/**
 * Judges on a thread of its own, while this one inflates, scans and sends: the records are copied into shared memory,
 * and keys and digests come back. Several calls may be under way; they are answered in their order.
 */
export class WorkerJudge implements Judge {
  readonly #worker = new Worker(new URL('./judge-worker.ts', import.meta.url), { resourceLimits: LIMITS });
  readonly #pending = new Map<number, PromiseWithResolvers<JudgeReply>>();
  readonly #free: SharedArrayBuffer[] = [];
  #lastId = 0;
  #failure: Error | undefined;

  constructor() {
    this.#worker.on('message', (reply: JudgeReply) => {
      this.#pending.get(reply.id)?.resolve(reply);
      this.#pending.delete(reply.id);
    });
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the validating thread has ended')));
    // Work under way holds the process; the thread alone does not.
    this.#worker.unref();
  }

  async judge(records: readonly ScannedRecord[], from: number): Promise<JudgedRecord[]> {
    if (this.#failure) throw this.#failure;
    const kept = records.filter((record) => record.bytes !== undefined);
    const slab = this.#takeSlab(kept.reduce((sum, record) => sum + record.length, 0));
    const places = place(kept, slab, from);
    const { digests, verdicts } = await this.#ask(slab, places);
    if (slab.byteLength === SLAB_BYTES && this.#free.length < MAX_FREE_SLABS) this.#free.push(slab);
    let next = 0;
    return records.map((record): JudgedRecord => {
      if (!record.bytes) return { ...record, digest: oversizeDigest(record), verdict: undefined };
      const digest = Buffer.from(digests.buffer, next * DIGEST_BYTES, DIGEST_BYTES);
      const verdict = verdicts[next];
      next += 1;
      return { ...record, digest, verdict };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask(slab: SharedArrayBuffer, places: readonly Place[]): Promise<JudgeReply> {
    this.#lastId += 1;
    const id = this.#lastId;
    const reply = Promise.withResolvers<JudgeReply>();
    this.#pending.set(id, reply);
    const request: JudgeRequest = { id, slab, places };
    this.#worker.ref();
    this.#worker.postMessage(request);
    try {
      return await reply.promise;
    } finally {
      if (this.#pending.size === 0) this.#worker.unref();
    }
  }

  #takeSlab(bytes: number): SharedArrayBuffer {
    const free = bytes <= SLAB_BYTES ? this.#free.pop() : undefined;
    return free ?? new SharedArrayBuffer(Math.max(bytes, SLAB_BYTES));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const reply of this.#pending.values()) reply.reject(error);
    this.#pending.clear();
  }
}

function place(records: readonly ScannedRecord[], slab: SharedArrayBuffer, from: number): Place[] {
  const target = new Uint8Array(slab);
  let start = 0;
  return records.map(({ bytes, ordinal, members }): Place => {
    const length = bytes!.length;
    target.set(bytes!, start);
    const at = start;
    start += length;
    return { start: at, length, members: ordinal >= from ? members : undefined };
  });
}
