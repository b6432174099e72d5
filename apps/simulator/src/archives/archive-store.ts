import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import type { Conversations } from '../conversations/conversations.ts';
import { openNameless } from '../nameless-file.ts';
import { writeArchive } from './write-archive.ts';

const SLICE_BYTES = 256 * 1024;

/** One finished archive on disk. */
export interface StoredArchive {
  readonly sizeBytes: number;
  /** Quoted, from the content. */
  readonly etag: string;
  readonly lastModified: Date;
  /** The bytes from `start` to before `end`. */
  read(start: number, end: number): Readable;
}

interface Spooled {
  readonly archive: StoredArchive;
  readonly handle: FileHandle;
}

export interface ArchiveRequest {
  /** Equal keys mean equal bytes: the archive is written once. */
  readonly key: string;
  readonly conversations: Conversations;
  readonly indexes: Uint32Array;
}

/**
 * Archives are spooled to disk once for each query, not regenerated for each request: the length of a compressed
 * stream is known only at its end, and a Range at 7 GB would cost a minute of generating. A job is IN_PROGRESS
 * meanwhile, as a real one is.
 */
export class ArchiveStore {
  readonly #compressionLevel: number;
  readonly #archives = new Map<string, Promise<Spooled>>();
  readonly #closing = new AbortController();

  constructor(compressionLevel: number) {
    this.#compressionLevel = compressionLevel;
  }

  async get(request: ArchiveRequest): Promise<StoredArchive> {
    let spooled = this.#archives.get(request.key);
    if (!spooled) {
      spooled = this.#spool(request);
      this.#archives.set(request.key, spooled);
      // A failed attempt (disk full) may succeed for the next job.
      spooled.catch(() => this.#archives.delete(request.key));
    }
    return (await spooled).archive;
  }

  /** Lets go of an archive that nobody reads any more. */
  async drop(key: string): Promise<void> {
    const spooled = this.#archives.get(key);
    this.#archives.delete(key);
    await spooled?.then(
      ({ handle }) => handle.close(),
      () => undefined,
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(Array.from(this.#archives.keys(), (key) => this.drop(key)));
  }

  async #spool({ conversations, indexes }: ArchiveRequest): Promise<Spooled> {
    const handle = await openNameless();
    try {
      const hash = createHash('sha256');
      const zip = new PassThrough();
      let sizeBytes = 0;
      const signal = this.#closing.signal;
      const writing = writeArchive(conversations, indexes, zip, {
        container: 'zip',
        compressionLevel: this.#compressionLevel,
        signal,
      });
      const storing = async (): Promise<void> => {
        for await (const chunk of zip as AsyncIterable<Buffer>) {
          hash.update(chunk);
          sizeBytes += chunk.length;
          await handle.appendFile(chunk);
        }
      };
      await Promise.all([writing, storing()]);
      const archive: StoredArchive = {
        sizeBytes,
        etag: `"${hash.digest('hex').slice(0, 32)}"`,
        lastModified: new Date(),
        read: (start, end) => Readable.from(slices(handle, start, end), { objectMode: false }),
      };
      return { archive, handle };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

/** A stream of the handle's own would keep it from closing. */
async function* slices(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer, void> {
  let position = start;
  while (position < end) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(SLICE_BYTES, end - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error(`The spooled archive ends at ${position}, before ${end}.`);
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
