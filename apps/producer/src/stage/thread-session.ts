import { Worker } from 'node:worker_threads';
import type { Clock } from '@genesys-kafka/resilience';
import type { ThreadAnswer, ThreadOptions, ThreadReply, ThreadRequest } from './thread-messages.ts';

/** For one request, from when the thread began with it: a thousand times what the largest ordinary record takes. @internal */
export const DEADLINE_MS = 30_000;
/** After a pause of the whole process what the thread has said meanwhile is heard first. */
const PAUSED_MS = 1000;
/** Its memory is garbage of parsing: a small young generation keeps the process small; at 2 MB it costs a tenth. */
const LIMITS = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 128 };

/** What is used of a Worker. */
export type ThreadWorker = Pick<Worker, 'on' | 'postMessage' | 'terminate' | 'ref' | 'unref'>;

export function startWorker(options: ThreadOptions): ThreadWorker {
  const file = new URL('./staging-thread-worker.ts', import.meta.url);
  return new Worker(file, { workerData: options, resourceLimits: LIMITS });
}

/** The thread is gone, over one of its requests: whoever holds another one may ask a new thread. */
export class ThreadLost extends Error {
  /** True for the request that it was working on. */
  readonly isAtFault: boolean;

  constructor(why: string, isAtFault: boolean) {
    super(`the staging thread ${why}`);
    this.isAtFault = isAtFault;
  }
}

/** Lost over a request, or ended for good. */
type End = { readonly why: string } | { readonly error: Error };

/**
 * One thread from its start to its end. It ends when a request takes longer than `DEADLINE_MS` or more memory than the
 * thread may have; every request under way is then rejected with ThreadLost, and the thread is no more. Any other end
 * (it cannot start, a bug) rejects with the reason, for good.
 */
export class ThreadSession {
  readonly #worker: ThreadWorker;
  readonly #clock: Clock;
  /** The thread is at the first of them. */
  readonly #pending: PromiseWithResolvers<ThreadReply>[] = [];
  readonly #ended = new AbortController();
  #isReady = false;
  /** Since when the thread is at a request; undefined while it is not. */
  #busySinceMs: number | undefined;
  #isWatched = false;
  #end: End | undefined;

  constructor(worker: ThreadWorker, clock: Clock) {
    this.#worker = worker;
    this.#clock = clock;
    worker.on('message', (answer: ThreadAnswer) => this.#take(answer));
    worker.on('error', (error: Error & { readonly code?: string }) => {
      if (this.#isReady && error.code === 'ERR_WORKER_OUT_OF_MEMORY') this.#lose('ran out of memory');
      else this.#fail(error);
    });
    worker.on('exit', () => {
      if (this.#isReady) this.#lose('ended');
      else this.#fail(new Error('the staging thread has ended before it began'));
    });
    // Work under way holds the process; the thread alone does not.
    worker.unref();
  }

  /** Nothing can be asked of it any more. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  async ask(request: ThreadRequest): Promise<ThreadReply> {
    if (this.#end) throw this.#ending(this.#end, false);
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

  async close(): Promise<void> {
    const error = new Error('the staging thread has ended');
    this.#fail(error);
    this.#end = { error };
    await this.#worker.terminate();
  }

  #take(answer: ThreadAnswer): void {
    if (answer === 'ready') {
      this.#isReady = true;
    } else if (answer === 'begun') {
      this.#busySinceMs = this.#clock.monotonicMs();
      void this.#watch();
    } else {
      this.#busySinceMs = undefined;
      this.#pending.shift()?.resolve(answer);
    }
  }

  /** Holds the deadline of what the thread is at. One timer for many requests. */
  async #watch(): Promise<void> {
    if (this.#isWatched) return;
    this.#isWatched = true;
    try {
      for (let sinceMs = this.#busySinceMs; sinceMs !== undefined; sinceMs = this.#busySinceMs) {
        const leftMs = sinceMs + DEADLINE_MS - this.#clock.monotonicMs();
        await this.#clock.sleep(Math.max(leftMs, PAUSED_MS), this.#ended.signal);
        if (leftMs > 0 || this.#busySinceMs !== sinceMs) continue;
        this.#lose(`gave no answer in ${DEADLINE_MS / 1000} s`);
        void this.#worker.terminate();
      }
    } catch {
      // The session is over.
    } finally {
      this.#isWatched = false;
    }
  }

  #lose(why: string): void {
    this.#over({ why });
  }

  #fail(error: Error): void {
    this.#over({ error });
  }

  #over(end: End): void {
    this.#end ??= end;
    this.#busySinceMs = undefined;
    this.#ended.abort();
    for (const [index, reply] of this.#pending.splice(0).entries()) reply.reject(this.#ending(this.#end, index === 0));
  }

  #ending(end: End, isAtFault: boolean): Error {
    return 'error' in end ? end.error : new ThreadLost(end.why, isAtFault);
  }
}
