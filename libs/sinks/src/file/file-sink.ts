import { stat, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BatchLimits, Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { systemClock, unlessAborted, type Clock } from '@genesys-kafka/resilience';
import { SinkError } from '../errors.ts';
import { outcomeOfFileFailure } from './file-failure.ts';
import { FileLock } from './file-lock.ts';
import type { FileSinkOptions } from './file-options.ts';
import { checkNdjson, linkedFile, openNdjson, rotateNdjson } from './ndjson-file.ts';
import { ndjsonLines } from '../ndjson-lines.ts';

/** Deliveries that come during one write and its sync share the next. */
const BATCH: BatchLimits = { records: 5000, bytes: 8 * 1024 * 1024, ageMs: 0 };

/**
 * Appends records as NDJSON: a batch is one write, and is delivered once it is on the disk (fdatasync), unless the
 * options say otherwise. At least once: after a crash a record may be there twice.
 */
export function createFileSink(options: FileSinkOptions, clock: Clock = systemClock): Sink {
  return new FileSink(options, clock);
}

class FileSink implements Sink {
  readonly batch = BATCH;
  readonly maxRequests = 1;
  readonly #path: string;
  /** What is open and locked: where the path leads. */
  #file: string;
  readonly #rotate: NonNullable<FileSinkOptions['rotate']>;
  readonly #syncs: boolean;
  readonly #clock: Clock;
  /** Settles with the last batch that was handed over: a write is not ended by an abort, and the next waits for it. */
  #writing: Promise<unknown> = Promise.resolve();
  #lock: FileLock | undefined;
  #handle: FileHandle | undefined;
  /** Aborts with the open file: it ends the wait for its age. */
  #handleGone = new AbortController();

  constructor({ path, rotate = {}, sync = 'batch' }: FileSinkOptions, clock: Clock) {
    this.#path = resolve(path);
    this.#file = this.#path;
    this.#rotate = rotate;
    this.#syncs = sync === 'batch';
    this.#clock = clock;
  }

  async deliver(batch: readonly Delivery[], signal: AbortSignal): Promise<readonly DeliveryOutcome[]> {
    signal.throwIfAborted();
    const written = this.#writing.then(async () => this.#append(batch, signal));
    this.#writing = written;
    const outcome = await unlessAborted(written, signal);
    return batch.map(() => outcome);
  }

  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      await checkNdjson(this.#path);
    } catch (error) {
      if (error instanceof SinkError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new SinkError('sink-file-unusable', `${this.#path} cannot be written (${code}).`, { cause: error });
    }
  }

  /** Writes what was handed over, then lets the file go. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#letGo();
    await this.#unlock();
  }

  /** What became of all records of a batch; never rejects. */
  async #append(batch: readonly Delivery[], signal: AbortSignal): Promise<DeliveryOutcome> {
    try {
      signal.throwIfAborted();
      await this.#write(ndjsonLines(batch.map(({ body }) => body)));
      return { kind: 'delivered' };
    } catch (error) {
      return outcomeOfFileFailure(error);
    }
  }

  async #write(lines: Buffer): Promise<void> {
    let handle = await this.#open();
    let { size } = await handle.stat();
    if (size > 0 && size + lines.length > (this.#rotate.bytes ?? Infinity)) {
      await this.#putAside();
      handle = await this.#open();
      ({ size } = await handle.stat());
    }
    try {
      for (let done = 0; done < lines.length;) {
        const { bytesWritten } = await handle.write(lines, done);
        done += bytesWritten;
      }
      if (this.#syncs) await handle.datasync();
      if ((await handle.stat()).nlink === 0) throw Object.assign(new Error('deleted'), { code: 'ENOENT' });
    } catch (error) {
      // Nothing of a failed batch may stay as half a line, and a handle whose sync failed cannot be trusted again.
      // Where even this fails, opening anew repairs the last line.
      await handle.truncate(size).catch(() => undefined);
      await this.#letGo();
      throw error;
    }
  }

  /** The open file; a new one where somebody moved or deleted it, or the lock has been taken over. */
  async #open(): Promise<FileHandle> {
    if (this.#lock && !(await this.#lock.isOurs())) {
      await this.#letGo();
      await this.#unlock();
    }
    if (this.#handle) {
      const [ours, there] = await Promise.all([this.#handle.stat(), stat(this.#path).catch(() => undefined)]);
      if (ours.ino === there?.ino && ours.dev === there.dev) return this.#handle;
      await this.#letGo();
    }
    const file = await linkedFile(this.#path);
    if (this.#lock && file !== this.#file) await this.#unlock();
    this.#lock ??= await FileLock.acquire(file, this.#clock);
    this.#file = file;
    this.#handle = await openNdjson(file);
    if (this.#rotate.ageMs !== undefined) void this.#awaitAge(this.#handle, this.#rotate.ageMs);
    return this.#handle;
  }

  /** Puts the file aside when it has its age, whether or not anything is written then; an empty one goes on waiting. */
  async #awaitAge(handle: FileHandle, ageMs: number): Promise<void> {
    this.#handleGone = new AbortController();
    const { signal } = this.#handleGone;
    try {
      const { birthtimeMs } = await handle.stat();
      const nowMs = this.#clock.nowMs();
      // Not every file system knows when a file was made, and some clocks are set back.
      const begunMs = birthtimeMs > 0 && birthtimeMs <= nowMs ? birthtimeMs : nowMs;
      await this.#clock.sleep(Math.max(0, begunMs + ageMs - nowMs), signal);
      for (;;) {
        const done = this.#writing.then(async () => this.#putAsideUnlessEmpty(handle));
        this.#writing = done;
        if (await done) return;
        await this.#clock.sleep(ageMs, signal);
      }
    } catch {
      // The file is gone: closed, or not to be used any more. The next one has an age of its own.
    }
  }

  /** False where it is to be tried again later. Never rejects: writes queue behind it. */
  async #putAsideUnlessEmpty(handle: FileHandle): Promise<boolean> {
    try {
      // Another file by now, or none: the next one has an age of its own.
      if (this.#handle !== handle || (await this.#open()) !== handle) return true;
      if ((await handle.stat()).size === 0) return false;
      await this.#putAside();
      return true;
    } catch {
      // The next write meets the same, and tells it.
      return false;
    }
  }

  async #putAside(): Promise<void> {
    await this.#letGo();
    await rotateNdjson(this.#file, this.#clock.nowMs());
  }

  async #unlock(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
  }

  async #letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#handleGone.abort(new Error('closed'));
    await handle?.close().catch(() => undefined);
  }
}
