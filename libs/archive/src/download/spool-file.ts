import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rm, statfs, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ArchiveError } from '../errors.ts';
import { spoolFailure } from '../file-failures.ts';
import { readExactly } from '../read-exactly.ts';

/** Tells this process from an earlier one with the same id, as in a restarted container. */
const PROCESS = randomUUID().slice(0, 8);
const PREFIX = `genesys-spool-${hostname().replace(/[^A-Za-z0-9.]/g, '_')}-`;

/** One file of ours in the spool directory: readable by us alone, never named by anything from outside. */
export class SpoolFile {
  readonly path: string;
  readonly #dir: string;
  readonly #file: FileHandle;

  private constructor(path: string, dir: string, file: FileHandle) {
    this.path = path;
    this.#dir = dir;
    this.#file = file;
  }

  /** Creates the directory when it is missing, and clears what killed processes of this host left in it. */
  static async create(dir: string): Promise<SpoolFile> {
    const path = join(dir, `${PREFIX}${process.pid}-${PROCESS}-${randomUUID()}`);
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await sweep(dir);
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      return new SpoolFile(path, dir, await open(path, flags, 0o600));
    } catch (error) {
      throw spoolFailure(error, dir);
    }
  }

  async write(chunk: Uint8Array, position: number): Promise<void> {
    try {
      for (let done = 0; done < chunk.length;) {
        const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, position + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw spoolFailure(error, this.#dir);
    }
  }

  /** Whether these bytes lie there already. */
  async holds(bytes: Buffer, position: number): Promise<boolean> {
    return bytes.equals(await readExactly(this.#file, position, bytes.length));
  }

  /** Its first bytes, `most` or as many as there are. */
  async beginning(most: number): Promise<Buffer> {
    const { size } = await this.#file.stat();
    return readExactly(this.#file, 0, Math.min(most, size));
  }

  async truncate(): Promise<void> {
    await this.#file.truncate(0);
  }

  /** Throws `spool-full` when the directory's disk cannot take `bytes` more. */
  async reserve(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.#dir);
    const free = bavail * bsize;
    if (bytes <= free) return;
    throw new ArchiveError('spool-full', `The download needs ${bytes} bytes, and ${this.#dir} has ${free} left.`);
  }

  async close(): Promise<void> {
    try {
      await this.#file.close();
    } catch (error) {
      throw spoolFailure(error, this.#dir);
    }
  }

  /** Safe to call more than once, open or closed. */
  async remove(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }
}

/** Removes the files of processes of this host that are gone. Another host's files are not ours to judge. */
async function sweep(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const [, pid, token] = /^(\d+)-([0-9a-f]{8})-/.exec(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '') ?? [];
    if (pid === undefined || token === PROCESS) continue;
    if (Number(pid) !== process.pid && isAlive(Number(pid))) continue;
    await rm(join(dir, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
