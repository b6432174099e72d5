import { randomUUID } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, type Clock } from '@genesys-kafka/resilience';

const BEAT_MS = 10_000;
/** A holder that has not been heard of for so long is gone, on whichever host it was. */
const STALE_MS = 60_000;
const NAME = /^genesys-spool-([0-9a-f-]{36})(\.alive$|-)/;

/** Holders of this process, by directory. */
const holders = new Map<string, SpoolHolder>();

/**
 * What this process holds in a spool directory. A file beside the spooled ones, named after a nonce like them, is
 * written every 10 s for as long as there are any: whoever finds it older than a minute removes what bears its nonce.
 * Neither host names nor process ids tell: containers share the one and change the other.
 */
export class SpoolHolder {
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #nonce = randomUUID();
  readonly #over = new AbortController();
  readonly #begun: Promise<void>;
  #files = 0;

  private constructor(dir: string, clock: Clock) {
    this.#dir = dir;
    this.#clock = clock;
    this.#begun = this.#write();
  }

  /** For one more file in `dir`; `release` it when that is gone. Clears first what dead holders have left. */
  static async take(dir: string, clock: Clock = systemClock): Promise<SpoolHolder> {
    const known = holders.get(dir);
    const holder = known ?? new SpoolHolder(dir, clock);
    holder.#files += 1;
    if (!known) {
      holders.set(dir, holder);
      void holder.#beat();
    }
    try {
      await holder.#begun;
      await holder.#sweep();
      return holder;
    } catch (error) {
      await holder.release();
      throw error;
    }
  }

  /** A new file's path: never named by anything from outside. */
  newPath(): string {
    return join(this.#dir, `genesys-spool-${this.#nonce}-${randomUUID()}`);
  }

  async release(): Promise<void> {
    this.#files -= 1;
    if (this.#files > 0) return;
    holders.delete(this.#dir);
    this.#over.abort(new Error('released'));
    await rm(this.#alive, { force: true });
  }

  get #alive(): string {
    return join(this.#dir, `genesys-spool-${this.#nonce}.alive`);
  }

  /** Written, not touched: the time is then the file system's own, the same for all hosts that share it. */
  async #write(): Promise<void> {
    await writeFile(this.#alive, this.#nonce, { mode: 0o600 });
  }

  async #beat(): Promise<void> {
    const { signal } = this.#over;
    try {
      await this.#begun;
      for (;;) {
        await this.#clock.sleep(BEAT_MS, signal);
        // A disk that is full for a moment does not end the beating.
        await this.#write().catch(() => undefined);
        if (signal.aborted) await rm(this.#alive, { force: true });
      }
    } catch {
      // Released, or never begun: `take` has said why.
    }
  }

  async #sweep(): Promise<void> {
    await this.#write();
    const nowMs = (await stat(this.#alive)).mtimeMs;
    const names = await readdir(this.#dir);
    const byNonce = Map.groupBy(names, (name) => NAME.exec(name)?.[1]);
    for (const [nonce, files] of byNonce) {
      if (nonce === undefined || nonce === this.#nonce) continue;
      const alive = await stat(join(this.#dir, `genesys-spool-${nonce}.alive`)).catch(() => undefined);
      if (alive && nowMs - alive.mtimeMs < STALE_MS) continue;
      // What another user has left is that user's to clear.
      for (const name of files) await rm(join(this.#dir, name), { force: true }).catch(() => undefined);
    }
  }
}
