import { recordBytes, type ConsumedRecord, type GroupBatch } from '@genesys-kafka/kafka';
import { Density, type Flow, type FlowFactory, type FlowLimits } from './flow.ts';
import { OffsetTracker } from './offset-tracker.ts';
import type { Work, WorkSignals } from './work.ts';

export interface FlowOptions {
  readonly limits: FlowLimits;
  readonly work: Work;
  /** Records that the group did not want, and that are behind it. */
  readonly onUnwanted?: ((records: number) => void) | undefined;
  /** A bound is reached: nothing more comes before some of what is in hand is finished. */
  readonly onFull?: (() => void) | undefined;
  /** Something changed: position, fullness, idleness. */
  readonly onChange: () => void;
  /** Work rejected although nobody aborted it: a bug, since outcomes are values. */
  readonly onFailure: (error: unknown) => void;
}

/** Flows that settle each record by `work`. */
export function keyedFlows(options: Omit<FlowOptions, 'onChange' | 'onFailure'>): FlowFactory {
  return (_target, { onChange, onFailure }) => new PartitionFlow({ ...options, onChange, onFailure });
}

/**
 * One assignment of one partition: records with one key are worked on in their order, different keys at once, and the
 * position is the lowest unfinished record.
 * @internal
 */
export class PartitionFlow implements Flow {
  readonly #options: FlowOptions;
  readonly #tracker = new OffsetTracker();
  /** Unfinished records by key; the first of each is being worked on. */
  readonly #chains = new Map<string, ConsumedRecord[]>();
  readonly #stopping = new AbortController();
  readonly #abort = new AbortController();
  readonly #signals: WorkSignals;
  readonly #idle = Promise.withResolvers<undefined>();
  #running = 0;
  #bytes = 0;
  #waiting = 0;
  readonly #density = new Density();

  constructor(options: FlowOptions) {
    this.#options = options;
    this.#signals = {
      stopping: this.#stopping.signal,
      signal: this.#abort.signal,
      whileWaiting: async (wait) => this.#whileWaiting(wait),
    };
  }

  /** Where the assignment starts: it may be committed as it is, so that the group is known here from now on. */
  begin(offset: bigint): bigint {
    this.#tracker.cover(offset);
    this.#options.onChange();
    return offset;
  }

  /** Takes a batch whole, even past the bound: the bound pauses the partition, so that one batch is the excess. */
  accept(batch: GroupBatch): void {
    if (this.#stopping.signal.aborted) return;
    this.#density.count(batch);
    for (const record of batch.records) {
      // A fetch may be delivered again after a failed one; what was taken once is not taken twice.
      if (record.offset < (this.#tracker.expected ?? 0n)) continue;
      this.#tracker.begin(record.offset);
      this.#bytes += recordBytes(record);
      const key = chainOf(record);
      const chain = this.#chains.get(key);
      if (chain) chain.push(record);
      else this.#run(key, [record]);
    }
    this.#tracker.cover(batch.nextOffset);
    if (batch.unwanted > 0) this.#options.onUnwanted?.(batch.unwanted);
    this.#changed();
  }

  /** Offset to commit; undefined before the first batch. */
  get position(): bigint | undefined {
    return this.#tracker.position;
  }

  /** The offset that the next batch should begin with; undefined before the first batch. */
  get expected(): bigint | undefined {
    return this.#tracker.expected;
  }

  get inFlight(): { readonly records: number; readonly bytes: number } {
    return { records: this.#tracker.unfinished, bytes: this.#bytes };
  }

  /** The timestamp of the oldest record in hand. */
  get oldestMs(): number | undefined {
    let oldest: number | undefined;
    for (const [first] of this.#chains.values())
      if (first && (oldest === undefined || first.timestampMs < oldest)) oldest = first.timestampMs;
    return oldest;
  }

  /** Share of the offsets taken that were records; 1 before there were any. */
  get density(): number {
    return this.#density.share;
  }

  /** True while the partition should not be fetched: a bound is reached, or a record waits for its time. */
  get holding(): boolean {
    const { maxRecords, maxBytes } = this.#options.limits;
    return this.#waiting > 0 || this.#tracker.unfinished >= maxRecords || this.#bytes >= maxBytes;
  }

  /** Begins nothing new and lets requests in flight end; after `graceMs` they are aborted. Resolves when none is left. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new Error('this partition is being given up'));
    if (this.#running === 0) return;
    const timer = setTimeout(() => this.#abort.abort(new Error('the time to finish is over')), graceMs);
    await this.#idle.promise;
    clearTimeout(timer);
  }

  #changed(): void {
    if (this.holding) this.#options.onFull?.();
    this.#options.onChange();
  }

  /** Works on a chain's records until one takes time; then the chain is kept. */
  #run(key: string, chain: ConsumedRecord[]): void {
    for (let record = chain[0]; record; record = chain[0]) {
      // Only a record that has not begun ends here: what a sink has acknowledged is always counted.
      if (this.#stopping.signal.aborted) return;
      const working = this.#begin(record);
      if (working) {
        this.#chains.set(key, chain);
        void this.#end(key, chain, working);
        return;
      }
      this.#finish(chain);
    }
    this.#chains.delete(key);
  }

  #begin(record: ConsumedRecord): Promise<void> | undefined {
    try {
      return this.#options.work(record, this.#signals);
    } catch (error) {
      const bug = error as Error;
      return Promise.reject(bug);
    }
  }

  async #end(key: string, chain: ConsumedRecord[], working: Promise<void>): Promise<void> {
    this.#running += 1;
    try {
      await working;
      this.#finish(chain);
      this.#run(key, chain);
      this.#changed();
    } catch (error) {
      // The record stays unfinished, and with it the rest of its chain: nothing of this key may overtake it.
      if (!this.#stopping.signal.aborted) this.#options.onFailure(error);
    } finally {
      this.#running -= 1;
      if (this.#running === 0 && this.#stopping.signal.aborted) this.#idle.resolve(undefined);
    }
  }

  #finish(chain: ConsumedRecord[]): void {
    const record = chain.shift()!;
    this.#tracker.finish(record.offset);
    this.#bytes -= recordBytes(record);
  }

  async #whileWaiting<T>(wait: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#options.onChange();
    try {
      return await wait();
    } finally {
      this.#waiting -= 1;
      this.#options.onChange();
    }
  }
}

/** Records without a key have no order among themselves: each is a chain of its own. */
function chainOf(record: ConsumedRecord): string {
  return record.key === null ? `#${record.offset}` : `k${record.key.toString('latin1')}`;
}
