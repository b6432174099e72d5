import { constants } from 'node:fs';
import { open, rm, statfs, type FileHandle } from 'node:fs/promises';
import { ArchiveError } from '../errors.ts';
import { spoolFailure } from '../file-failures.ts';
import { readExactly, readUpTo } from '../read-exactly.ts';
import { checkSpool } from './check-spool.ts';
import { SpoolHolder } from './spool-holder.ts';

/** One file of ours in the spool directory: readable by us alone, never named by anything from outside. */
export class SpoolFile {
  readonly path: string;
  readonly #dir: string;
  readonly #file: FileHandle;
  #holder: SpoolHolder | undefined;

  private constructor(path: string, dir: string, file: FileHandle, holder: SpoolHolder) {
    this.path = path;
    this.#dir = dir;
    this.#file = file;
    this.#holder = holder;
  }

  /** Creates the directory when it is missing, and clears what killed processes left in it. */
  static async create(dir: string): Promise<SpoolFile> {
    await checkSpool(dir);
    let holder: SpoolHolder | undefined;
    try {
      holder = await SpoolHolder.take(dir);
      const path = holder.newPath();
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      return new SpoolFile(path, dir, await open(path, flags, 0o600), holder);
    } catch (error) {
      await holder?.release();
      throw spoolFailure(error, dir);
    }
  }

  async write(chunk: Uint8Array, position: number): Promise<void> {
    await this.#tried(async () => {
      for (let done = 0; done < chunk.length;) {
        const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, position + done);
        done += bytesWritten;
      }
    });
  }

  /** Bytes that were written; throws `spool-damaged` where there are fewer. */
  async read(position: number, length: number): Promise<Buffer> {
    const bytes = await this.#tried(async () => readUpTo(this.#file, position, length));
    if (bytes.length === length) return bytes;
    throw new ArchiveError(
      'spool-damaged',
      `A file in ${this.#dir} has become shorter: it ends at byte ${position + bytes.length}.`,
    );
  }

  /** Whether these bytes lie there already. */
  async holds(bytes: Buffer, position: number): Promise<boolean> {
    return bytes.equals(await this.#tried(async () => readExactly(this.#file, position, bytes.length)));
  }

  /** Its first bytes, `most` or as many as there are. */
  async beginning(most: number): Promise<Buffer> {
    return this.#tried(async () => {
      const { size } = await this.#file.stat();
      return readExactly(this.#file, 0, Math.min(most, size));
    });
  }

  async truncate(): Promise<void> {
    await this.#tried(async () => this.#file.truncate(0));
  }

  /** Throws `spool-full` when the directory's disk cannot take `bytes` more. */
  async reserve(bytes: number): Promise<void> {
    const { bavail, bsize } = await this.#tried(async () => statfs(this.#dir));
    const free = bavail * bsize;
    if (bytes <= free) return;
    throw new ArchiveError('spool-full', `The download needs ${bytes} bytes, and ${this.#dir} has ${free} left.`);
  }

  async close(): Promise<void> {
    await this.#tried(async () => this.#file.close());
  }

  /** Safe to call more than once, open or closed. */
  async remove(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.path, { force: true });
    const holder = this.#holder;
    this.#holder = undefined;
    await holder?.release();
  }

  async #tried<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw spoolFailure(error, this.#dir);
    }
  }
}
