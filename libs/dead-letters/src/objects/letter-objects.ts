import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { showObject } from '@genesys-kafka/object-store';
import { backoffMs, isRetryable, OperationalError, systemClock, type Clock } from '@genesys-kafka/resilience';
import { deadLetterIdentity, parseDeadLetter } from '@genesys-kafka/topics';
import { encodeLetter, type LetterRecord } from './letter-line.ts';
import { folderOf, objectName } from './letter-path.ts';
import type { LetterPlace } from './letter-place.ts';

export interface LetterObjectsOptions {
  readonly place: LetterPlace;
  /** Told of each object that was not written and of the wait before the next try. */
  readonly onFailure: (error: unknown, waitMs: number) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Writes dead letters to a storage; see `LetterObjects`. */
export interface LetterKeeper {
  append(letter: LetterRecord, signal: AbortSignal): Promise<void>;
}

interface Pending {
  readonly id: string;
  readonly letter: LetterRecord;
  readonly written: PromiseWithResolvers<undefined>;
  readonly signal: AbortSignal;
}

interface Folder {
  readonly path: string;
  readonly waiting: Pending[];
}

/** One object holds this much at most before compression, a larger dead letter alone; and so many of them. */
const MOST = { bytes: 4 * 1024 * 1024, lines: 10_000 };
/** Objects on their way at once. Each is in memory twice, and compressed. */
const PUTS = 4;
/** While dead letters keep coming, each object waits so long for more of them. A first one does not. */
const GATHER_MS = 100;
const CALM_MS = 1000;
/** What will not pass by itself (a right or a bucket is missing, or nobody knows) may still be a moment's trouble. */
const PATIENCE_MS = 120_000;
const BACKOFF = { initialMs: 500, factor: 2, maxMs: 30_000, jitterMs: 500 };
const zip = promisify(gzip);

/**
 * Dead letters as objects of gzip NDJSON, by day, route and cause. What comes while an object is on its way gathers for
 * the next one, so that a flood of dead letters makes few objects. While the storage is away, it is tried again for as
 * long as it takes: whoever waits here has not let go of the record, so offsets and positions stay, and memory is
 * bounded by what is in hand. What will not pass by itself ends after two minutes with its error.
 */
export class LetterObjects implements LetterKeeper {
  readonly #options: LetterObjectsOptions;
  readonly #clock: Clock;
  readonly #folders = new Map<string, Folder>();
  /** Folders that have gathered and whose turn it is not yet, in their order. */
  readonly #queue: Folder[] = [];
  readonly #waiters = new Waiters();
  #putting = 0;
  #lastPutMs = Number.NEGATIVE_INFINITY;
  #failure: { readonly code: string; readonly sinceMs: number } | undefined;

  constructor(options: LetterObjectsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Why no dead letter can be written just now; undefined where nothing is known against it. */
  get notReady(): string | undefined {
    const { bucket, prefix: key } = this.#options.place;
    return this.#failure && `dead letters cannot be written to ${showObject({ bucket, key })}: ${this.#failure.code}`;
  }

  /**
   * Resolves once the storage has acknowledged the object that holds the dead letter. Rejects with the reason of
   * `signal`, or with the error that writing has met for too long; it may then have been written all the same, and a
   * repeat is read as the same dead letter.
   */
  async append(letter: LetterRecord, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const envelope = parseDeadLetter(letter.headers);
    const written = Promise.withResolvers<undefined>();
    const path = folderOf(envelope);
    const folder = this.#folders.get(path) ?? { path, waiting: [] };
    const pending = { id: deadLetterIdentity(envelope), letter, written, signal };
    folder.waiting.push(pending);
    if (!this.#folders.has(path)) {
      this.#folders.set(path, folder);
      void this.#gather(folder);
    }
    this.#waiters.add(pending);
    await written.promise.finally(() => this.#waiters.remove(pending));
  }

  /** A moment for others to come, unless there were none lately. Also those of the same turn go together. */
  async #gather(folder: Folder): Promise<void> {
    if (this.#clock.monotonicMs() - this.#lastPutMs < CALM_MS) await this.#clock.sleep(GATHER_MS);
    else await new Promise((resolve) => setImmediate(resolve));
    this.#queue.push(folder);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#putting < PUTS && this.#queue.length > 0) {
      this.#putting += 1;
      void this.#work(this.#queue.shift()!);
    }
  }

  /** Writes one object of a folder, and begins again where more is waiting. */
  async #work(folder: Folder): Promise<void> {
    const batch = takeBatch(folder);
    try {
      if (batch.length > 0) await this.#write(folder.path, batch);
      for (const { written } of batch) written.resolve(undefined);
    } catch (error) {
      for (const { written } of batch) written.reject(error);
    }
    this.#putting -= 1;
    if (folder.waiting.length > 0) void this.#gather(folder);
    else this.#folders.delete(folder.path);
    this.#startNext();
  }

  async #write(path: string, batch: readonly Pending[]): Promise<void> {
    const { bucket, prefix, store } = this.#options.place;
    const lines = batch.map(({ letter }) => encodeLetter(letter));
    const name = objectName(batch.map(({ id, letter }) => ({ id, value: letter.value })));
    const body = await zip(Buffer.concat(lines.flatMap((line) => [line, LINE_BREAK])));
    const address = { bucket, key: `${prefix}${path}${name}` };
    using wanted = whileWanted(batch.map(({ signal }) => signal));
    await this.#persist(async () => store.put(address, body, wanted.signal), wanted.signal);
    this.#lastPutMs = this.#clock.monotonicMs();
  }

  async #persist(put: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    for (let attempt = 0; ; attempt += 1) {
      try {
        await put();
        this.#failure = undefined;
        return;
      } catch (error) {
        signal.throwIfAborted();
        const nowMs = this.#clock.monotonicMs();
        if (!isRetryable(error) && nowMs - startMs >= PATIENCE_MS) throw error;
        const code = error instanceof OperationalError ? error.code : 'an error of this program';
        this.#failure ??= { code, sinceMs: nowMs };
        const waitMs = backoffMs(BACKOFF, attempt, this.#options.random);
        this.#options.onFailure(error, waitMs);
        await this.#clock.sleep(waitMs, signal);
      }
    }
  }
}

/** Who waits, by signal: a signal with a listener for each of thousands would look through all of them for each. */
class Waiters {
  readonly #bySignal = new Map<AbortSignal, Set<Pending>>();
  readonly #forget = new Map<AbortSignal, AbortController>();

  add(pending: Pending): void {
    const { signal } = pending;
    const known = this.#bySignal.get(signal);
    if (known) {
      known.add(pending);
      return;
    }
    const all = new Set([pending]);
    const forget = new AbortController();
    this.#bySignal.set(signal, all);
    this.#forget.set(signal, forget);
    const left = () => all.forEach(({ written }) => written.reject(signal.reason));
    signal.addEventListener('abort', left, { once: true, signal: forget.signal });
  }

  remove(pending: Pending): void {
    const { signal } = pending;
    const all = this.#bySignal.get(signal);
    all?.delete(pending);
    if (all?.size !== 0) return;
    this.#bySignal.delete(signal);
    this.#forget.get(signal)?.abort();
    this.#forget.delete(signal);
  }
}

const LINE_BREAK = Buffer.from('\n');

/** What goes into one object: from the front, without those that nobody waits for any more. */
function takeBatch({ waiting }: Folder): Pending[] {
  const batch: Pending[] = [];
  let [bytes, taken] = [0, 0];
  for (const next of waiting) {
    const more = next.letter.value?.length ?? 0;
    if (batch.length > 0 && (bytes + more > MOST.bytes || batch.length === MOST.lines)) break;
    taken += 1;
    if (next.signal.aborted) continue;
    batch.push(next);
    bytes += more;
  }
  waiting.splice(0, taken);
  return batch;
}

/** Its signal aborts once all of these have: as long as one waits for the object, it is wanted. */
function whileWanted(signals: readonly AbortSignal[]): Disposable & { readonly signal: AbortSignal } {
  const all = new AbortController();
  const over = new AbortController();
  const open = new Set(signals);
  for (const signal of open) {
    const left = () => {
      open.delete(signal);
      if (open.size === 0) all.abort(signal.reason);
    };
    if (signal.aborted) left();
    else signal.addEventListener('abort', left, { once: true, signal: over.signal });
  }
  return { signal: all.signal, [Symbol.dispose]: () => over.abort() };
}
