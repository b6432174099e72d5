import { mkdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { BatchLimits, Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { systemClock, unlessAborted, type Clock } from '@genesys-kafka/resilience';
import { SinkError } from '../errors.ts';
import { outcomeOfFileFailure } from './file-failure.ts';
import { FileLock } from './file-lock.ts';
import type { FileSinkOptions } from './file-options.ts';
import { checkNdjson, openNdjson, rotateNdjson } from './ndjson-file.ts';
import { ndjsonLines } from '../ndjson-lines.ts';

/** Deliveries that come during one write and its sync share the next. */
const BATCH: BatchLimits = { records: 5000, bytes: 8 * 1024 * 1024, ageMs: 0 };

/**
 * Appends records as NDJSON: a batch is one write, and is delivered once it is on the disk (fdatasync). At least once:
 * after a crash a record may be there twice.
 */
export function createFileSink({ path, maxBytes }: FileSinkOptions, clock: Clock = systemClock): Sink {
  return new FileSink(resolve(path), maxBytes, clock);
}

class FileSink implements Sink {
  readonly batch = BATCH;
  readonly maxRequests = 1;
  readonly #path: string;
  readonly #maxBytes: number | undefined;
  readonly #clock: Clock;
  /** Settles with the last batch that was handed over: a write is not ended by an abort, and the next waits for it. */
  #writing: Promise<unknown> = Promise.resolve();
  #lock: FileLock | undefined;
  #handle: FileHandle | undefined;

  constructor(path: string, maxBytes: number | undefined, clock: Clock) {
    this.#path = path;
    this.#maxBytes = maxBytes;
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
    await this.#lock?.release();
    this.#lock = undefined;
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
    if (this.#maxBytes !== undefined && size > 0 && size + lines.length > this.#maxBytes) {
      await this.#letGo();
      await rotateNdjson(this.#path, this.#clock.nowMs());
      handle = await this.#open();
      ({ size } = await handle.stat());
    }
    try {
      for (let done = 0; done < lines.length;) {
        const { bytesWritten } = await handle.write(lines, done);
        done += bytesWritten;
      }
      await handle.datasync();
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
      await this.#lock.release();
      this.#lock = undefined;
    }
    if (this.#handle) {
      const [ours, there] = await Promise.all([this.#handle.stat(), stat(this.#path).catch(() => undefined)]);
      if (ours.ino === there?.ino && ours.dev === there.dev) return this.#handle;
      await this.#letGo();
    }
    await mkdir(dirname(this.#path), { recursive: true });
    this.#lock ??= await FileLock.acquire(this.#path, this.#clock);
    this.#handle = await openNdjson(this.#path);
    return this.#handle;
  }

  async #letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }
}
