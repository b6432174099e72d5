import { randomUUID } from 'node:crypto';
import { open, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock } from '@genesys-kafka/resilience';
import { SinkError } from '../errors.ts';

const HEARTBEAT_MS = 10_000;
/** A lock that we have seen untouched for so long belongs to a process that is gone, wherever it was. */
const STALE_MS = 30_000;

/** Locks of this process, by lock path: two sinks on one file would truncate each other's lines. */
const held = new Set<string>();

interface Holder {
  /** Whose it is, and when its holder last touched it, by the holder's clock: compared with itself only. */
  readonly beat: string;
  readonly nonce: string;
  /** For people: two containers may both be process 1 of one host name. */
  readonly name: string;
}

/** Locks of others as this process has seen them, by lock path: since when, on our clock, has nobody touched it? */
const seen = new Map<string, { readonly beat: string; readonly sinceMs: number }>();

/**
 * One writer per file, across processes, containers and hosts that share the directory: a lock file with a heartbeat.
 * Whether a holder lives is told by that alone, since a process number means nothing in another container. A lock left
 * by a killed process is taken over by who has watched it for 30 s without a beat.
 */
export class FileLock {
  readonly #path: string;
  readonly #nonce = randomUUID();
  readonly #clock: Clock;
  readonly #released = new AbortController();

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

  /** False once another process has taken the lock over, for instance while this one was paused. */
  async isOurs(): Promise<boolean> {
    return (await this.#holder().catch(() => undefined))?.nonce === this.#nonce;
  }

  async release(): Promise<void> {
    this.#released.abort(new Error('released'));
    held.delete(this.#path);
    if (await this.isOurs()) await unlink(this.#path).catch(() => undefined);
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
    if (holder && !this.#isStale(holder)) throw lockedError(file, holder.name);
    seen.delete(this.#path);
    const own = `${this.#path}.${this.#nonce}`;
    await writeFile(own, content, { mode: 0o640 });
    await rename(own, this.#path);
    if (!(await this.isOurs())) throw lockedError(file, 'a process that took it over just now');
  }

  /** Who holds the lock; undefined when it has gone. A lock file cut short by a crash names nobody. */
  async #holder(): Promise<Holder | undefined> {
    try {
      const { mtimeMs } = await stat(this.#path);
      const text = await readFile(this.#path, 'utf8');
      const match = /^\{"host":"([^"]*)","pid":(\d+),"nonce":"([^"]*)"\}$/.exec(text);
      const nonce = match?.[3] ?? '';
      const name = match ? `process ${match[2]!} on ${match[1]!}` : 'a process without a name';
      return { beat: `${nonce} ${mtimeMs}`, nonce, name };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Whether nobody has touched it while we watched: clocks of two hosts may differ by more than a beat. */
  #isStale({ beat }: Holder): boolean {
    const nowMs = this.#clock.monotonicMs();
    const before = seen.get(this.#path);
    if (before?.beat === beat) return nowMs - before.sinceMs >= STALE_MS;
    seen.set(this.#path, { beat, sinceMs: nowMs });
    return false;
  }

  async #beat(): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(HEARTBEAT_MS, this.#released.signal);
        const now = new Date(this.#clock.nowMs());
        if (await this.isOurs()) await utimes(this.#path, now, now).catch(() => undefined);
      }
    } catch (error) {
      if (!this.#released.signal.aborted) throw error;
    }
  }
}

function lockedError(file: string, holder: string): SinkError {
  return new SinkError('sink-file-locked', `${file} is being written by ${holder}.`);
}
