import type { Socket } from 'node:net';

/** What one direction of a connection suffers. */
export interface LinkFaults {
  /** Each chunk arrives this much later, in milliseconds; order is kept. */
  readonly latencyMs?: number;
  /** Bytes and the close vanish, while the sender's bytes are still acknowledged. */
  readonly drop?: boolean;
}

// What is under way in one direction: enough for 100 MB/s at 100 ms.
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;

/** Copies one direction of a connection, late or not at all. */
export class FaultyPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  #faults: LinkFaults;
  #queue: { readonly dueMs: number; readonly bytes: Buffer | undefined }[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #lost = false;

  /** `admit` is asked for every chunk that no fault has dropped; a refused chunk and all after it are lost. */
  constructor(from: Socket, to: Socket, faults: LinkFaults, admit: (bytes: Buffer) => boolean) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    from.on('data', (bytes) => {
      if (this.#lost || this.drops || !admit(bytes)) this.#lost = true;
      else this.#enqueue(bytes);
    });
    from.on('end', () => {
      if (this.#lost || this.drops) this.#lost = true;
      else this.#enqueue(undefined);
    });
    to.on('drain', () => this.#flush());
    to.once('close', () => clearTimeout(this.#timer));
  }

  get drops(): boolean {
    return this.#faults.drop ?? false;
  }

  /** Whether bytes or a close have vanished: what follows would make no sense to the receiver. */
  get hasLostBytes(): boolean {
    return this.#lost;
  }

  /** Nothing of this direction arrives any more. */
  lose(): void {
    this.#lost = true;
  }

  set(faults: LinkFaults): void {
    this.#faults = faults;
  }

  #enqueue(bytes: Buffer | undefined): void {
    // The queue is worked off from its head: when the latency falls, no chunk overtakes an earlier one.
    this.#queue.push({ dueMs: performance.now() + (this.#faults.latencyMs ?? 0), bytes });
    this.#queuedBytes += bytes?.length ?? 0;
    if (this.#queuedBytes > MAX_QUEUED_BYTES) this.#from.pause();
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    while (!this.#to.destroyed && !this.#to.writableNeedDrain) {
      const next = this.#queue[0];
      if (!next) break;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#flush(), waitMs);
        break;
      }
      this.#queue.shift();
      this.#queuedBytes -= next.bytes?.length ?? 0;
      if (next.bytes) this.#to.write(next.bytes);
      else this.#to.end();
    }
    if (this.#queuedBytes <= MAX_QUEUED_BYTES && this.#from.isPaused()) this.#from.resume();
  }
}
