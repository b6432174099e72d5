import { mkdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { SinkFileError, SinkOptionError } from '../errors.ts';
import { outcomeOfFileFailure } from './file-failure.ts';
import { FileLock } from './file-lock.ts';
import { checkNdjson, openNdjson, rotateNdjson } from './ndjson-file.ts';
import { ndjsonLine } from './ndjson-line.ts';

export interface FileSinkOptions {
  /** Name in the configuration, for messages. */
  readonly name: string;
  /** The file; its directories are made. */
  readonly path: string;
  /** A file that would grow past this is renamed to `<path>.<moment>` and a new one begun. Default: never. */
  readonly maxBytes?: number;
}

interface Pending {
  readonly line: Buffer;
  readonly settle: (outcome: DeliveryOutcome) => void;
}

/** One write and one sync take at most so much; what has come meanwhile goes next. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/**
 * Appends records as NDJSON. A record counts as delivered once its batch is on the disk (fdatasync): deliveries that
 * come during one sync share the next. At least once: after a crash a record may be there twice.
 */
export function createFileSink(options: FileSinkOptions, clock: Clock = systemClock): Sink {
  if (options.path === '') throw new SinkOptionError(options.name, 'path', 'is empty');
  if (options.maxBytes !== undefined && !(Number.isSafeInteger(options.maxBytes) && options.maxBytes >= 1))
    throw new SinkOptionError(options.name, 'maxBytes', 'must be a whole number of bytes from 1');
  return new FileSink(resolve(options.path), options.maxBytes, clock);
}

class FileSink implements Sink {
  readonly #path: string;
  readonly #maxBytes: number | undefined;
  readonly #clock: Clock;
  #pending = new Set<Pending>();
  #lock: FileLock | undefined;
  #handle: FileHandle | undefined;
  #flushing: Promise<void> | undefined;

  constructor(path: string, maxBytes: number | undefined, clock: Clock) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  async deliver({ body }: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<DeliveryOutcome>();
    const entry = { line: ndjsonLine(body), settle: resolve };
    const onAbort = () => {
      this.#pending.delete(entry);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#pending.add(entry);
    this.#flushing ??= this.#flush();
    return promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  async check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      await checkNdjson(this.#path);
    } catch (error) {
      if (error instanceof SinkFileError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new SinkFileError(
        'sink-file-unusable',
        `${this.#path} cannot be written (${code}). Check the sink's \`path\` and its permissions.`,
        error,
      );
    }
  }

  /** Writes what was handed over, then lets the file go. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#letGo();
    await this.#lock?.release();
    this.#lock = undefined;
  }

  async #flush(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = this.#takeBatch();
      const outcome = await this.#write(Buffer.concat(batch.map(({ line }) => line))).then(
        () => ({ kind: 'delivered' }) as const,
        outcomeOfFileFailure,
      );
      for (const { settle } of batch) settle(outcome);
    }
    // In the same breath as the last look at the queue: who comes next starts a flush of their own.
    this.#flushing = undefined;
  }

  #takeBatch(): Pending[] {
    const batch: Pending[] = [];
    let bytes = 0;
    for (const entry of this.#pending) {
      if (batch.length > 0 && bytes + entry.line.length > MAX_BATCH_BYTES) break;
      bytes += entry.line.length;
      batch.push(entry);
      this.#pending.delete(entry);
    }
    return batch;
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
    if (this.#lock?.lost) {
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
