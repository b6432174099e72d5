import { randomUUID } from 'node:crypto';
import { open, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock } from '@genesys-kafka/resilience';
import { SinkError } from '../errors.ts';

const HEARTBEAT_MS = 10_000;
/** A lock that nobody has touched for so long belongs to a process that is gone, on whichever host it was. */
const STALE_MS = 30_000;

/** Locks of this process, by lock path: two sinks on one file would truncate each other's lines. */
const held = new Set<string>();

/**
 * One writer per file, across processes and hosts that share the directory: a lock file with a heartbeat. A lock left
 * by a killed process is taken over, at once where its process is known to be dead, else after 30 s.
 */
export class FileLock {
  readonly #path: string;
  readonly #nonce = randomUUID();
  readonly #clock: Clock;
  readonly #released = new AbortController();
  #lost = false;

  private constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Rejects with `sink-file-locked`, which names the holder. */
  static async acquire(file: string, clock: Clock): Promise<FileLock> {
    const lock = new FileLock(`${file}.lock`, clock);
    if (held.has(lock.#path)) throw lockedError(file, 'another sink of this process');
    held.add(lock.#path);
    try {
      await lock.#take(file);
    } catch (error) {
      held.delete(lock.#path);
      throw error;
    }
    void lock.#beat();
    return lock;
  }

  /** True once another process has taken the lock over, for instance while this one was paused. */
  get lost(): boolean {
    return this.#lost;
  }

  async release(): Promise<void> {
    this.#released.abort(new Error('released'));
    held.delete(this.#path);
    if (await this.#isOurs()) await unlink(this.#path).catch(() => undefined);
  }

  async #take(file: string): Promise<void> {
    const content = JSON.stringify({ host: hostname(), pid: process.pid, nonce: this.#nonce });
    try {
      const handle = await open(this.#path, 'wx', 0o640);
      await handle.writeFile(content).finally(() => handle.close());
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await this.#holder();
    if (holder && !(await this.#isStale(holder))) throw lockedError(file, `process ${holder.pid} on ${holder.host}`);
    const own = `${this.#path}.${this.#nonce}`;
    await writeFile(own, content, { mode: 0o640 });
    await rename(own, this.#path);
    if (!(await this.#isOurs())) throw lockedError(file, 'a process that took it over just now');
  }

  /** Who holds the lock; undefined when it has gone. A lock file cut short by a crash names nobody. */
  async #holder(): Promise<{ host: string; pid: number; nonce: string; touchedMs: number } | undefined> {
    try {
      const touchedMs = (await stat(this.#path)).mtimeMs;
      const text = await readFile(this.#path, 'utf8');
      const match = /^\{"host":"([^"]*)","pid":(\d+),"nonce":"([^"]*)"\}$/.exec(text);
      return { host: match?.[1] ?? 'unknown host', pid: Number(match?.[2] ?? 0), nonce: match?.[3] ?? '', touchedMs };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #isStale(holder: { host: string; pid: number; touchedMs: number }): Promise<boolean> {
    if (this.#clock.nowMs() - holder.touchedMs > STALE_MS) return true;
    // Our own number and not in `held`: an earlier life of this container.
    return holder.host === hostname() && (holder.pid === process.pid || !isAlive(holder.pid));
  }

  async #isOurs(): Promise<boolean> {
    return (await this.#holder().catch(() => undefined))?.nonce === this.#nonce;
  }

  async #beat(): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(HEARTBEAT_MS, this.#released.signal);
        const now = new Date(this.#clock.nowMs());
        if (await this.#isOurs()) await utimes(this.#path, now, now).catch(() => undefined);
        else this.#lost = true;
      }
    } catch (error) {
      if (!this.#released.signal.aborted) throw error;
    }
  }
}

function isAlive(pid: number): boolean {
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function lockedError(file: string, holder: string): SinkError {
  return new SinkError('sink-file-locked', `${file} is being written by ${holder}.`);
}
