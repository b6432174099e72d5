import type { BatchLimits } from '@genesys-kafka/delivery';
import { recordBytes, type ConsumedRecord, type GroupBatch, type GroupCommit } from '@genesys-kafka/kafka';
import { unlessAborted, type Clock } from '@genesys-kafka/resilience';
import { giveBack } from '@genesys-kafka/resilience/memory';
import { Density, type Flow, type FlowHooks, type FlowLimits } from '../group/flow.ts';
import type { Work, WorkSignals } from '../group/work.ts';
import type { PickedRecord, Settle } from '../group/settle.ts';
import type { PartitionWriter, Start } from './partition-writer.ts';

export interface ExactFlowOptions {
  /** What may wait here while a batch is being written. */
  readonly limits: FlowLimits;
  readonly batch: BatchLimits;
  /** A batch goes as soon as nothing has come for a moment: the run ends when nothing is left. */
  readonly draining: boolean;
  readonly writer: PartitionWriter;
  /** Whose each record is, and what becomes of one that cannot be delivered. */
  readonly workOf: (settle: Settle) => Work;
  readonly hooks: FlowHooks;
  readonly onDelivered: (records: number) => void;
  readonly clock: Clock;
}

interface OpenBatch {
  readonly first: bigint;
  readonly firstMs: number;
  readonly dueMs: number;
  end: bigint;
  records: number;
  bytes: number;
}

/** A drain that hears nothing for so long has what there is. */
const QUIET_MS = 500;

/**
 * One partition of an exact route: gather, write, commit, one batch at a time and each record in its order. Everything
 * below its position is at the target, or others' to deliver. What gathers is not, and comes again where the partition
 * is given up before it is written.
 */
export class ExactFlow implements Flow {
  readonly #options: ExactFlowOptions;
  readonly #work: Work;
  readonly #stopping = new AbortController();
  readonly #abort = new AbortController();
  readonly #signals: WorkSignals;
  /** Taken from the group, and not yet looked at. */
  readonly #queue: ConsumedRecord[] = [];
  #queueBytes = 0;
  /** What the records lie in that are not behind the position. */
  readonly #memory: { readonly end: bigint; readonly parts: readonly Buffer[] }[] = [];
  readonly #density = new Density();
  #waiting = 0;
  #start: Start | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => undefined;
  /** All below it has been looked at. */
  #next: bigint | undefined;
  /** One past what was taken from the group. */
  #covered: bigint | undefined;
  #batch: OpenBatch | undefined;
  /** Set by the work on a record that was picked. */
  #picked: PickedRecord | undefined;
  #redo: Start['redo'];
  #declared: string | undefined;

  constructor(options: ExactFlowOptions) {
    this.#options = options;
    this.#signals = {
      stopping: this.#stopping.signal,
      signal: this.#abort.signal,
      whileWaiting: async (wait) => this.#whileWaiting(wait),
    };
    this.#work = options.workOf((picked) => {
      this.#picked = picked;
      return undefined;
    });
  }

  begin(offset: bigint, kept: () => Promise<GroupCommit | undefined>): Promise<bigint> {
    const begun = this.#begin(offset, kept);
    this.#ended = begun.then(
      async () => this.#run(),
      () => undefined,
    );
    return begun;
  }

  accept(batch: GroupBatch): void {
    if (this.#stopping.signal.aborted) return;
    this.#density.count(batch);
    for (const record of batch.records) {
      // A fetch may be delivered again after a failed one; what was taken once is not taken twice.
      if (record.offset < this.#covered!) continue;
      this.#queue.push(record);
      this.#queueBytes += recordBytes(record);
      this.#covered = record.offset + 1n;
    }
    if (batch.nextOffset > this.#covered!) this.#covered = batch.nextOffset;
    this.#memory.push({ end: batch.nextOffset, parts: batch.memory ?? [] });
    this.#wake();
    this.#options.hooks.onChange();
  }

  get position(): bigint | undefined {
    if (this.#redo) return this.#start?.offset;
    return this.#batch?.first ?? this.#next;
  }

  get note(): string | undefined {
    return this.#redo?.note ?? this.#declared ?? this.#options.writer.note;
  }

  get expected(): bigint | undefined {
    return this.#covered;
  }

  get inFlight(): { readonly records: number; readonly bytes: number } {
    const { records = 0, bytes = 0 } = this.#batch ?? {};
    return { records: records + this.#queue.length, bytes: bytes + this.#queueBytes };
  }

  get oldestMs(): number | undefined {
    return this.#batch?.firstMs ?? this.#queue[0]?.timestampMs;
  }

  get density(): number {
    return this.#density.share;
  }

  get holding(): boolean {
    const { maxRecords, maxBytes } = this.#options.limits;
    return this.#waiting > 0 || this.#queue.length >= maxRecords || this.#queueBytes >= maxBytes;
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new Error('this partition is being given up'));
    this.#wake();
    const timer = setTimeout(() => this.#abort.abort(new Error('the time to finish is over')), graceMs);
    await this.#ended;
    clearTimeout(timer);
    await this.#options.writer.close();
  }

  async #begin(offset: bigint, kept: () => Promise<GroupCommit | undefined>): Promise<bigint> {
    const commit = await unlessAborted(kept(), this.#stopping.signal);
    // At another offset, as after an accepted gap, what was begun at the committed one cannot be made again.
    const own = commit?.offset === offset ? commit : undefined;
    this.#start = await this.#options.writer.begin(offset, own, this.#signals);
    this.#stopping.signal.throwIfAborted();
    this.#redo = this.#start.redo;
    this.#next = this.#covered = this.#start.offset;
    this.#options.hooks.onChange();
    return this.#start.offset;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted) await this.#step();
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#options.hooks.onFailure(error);
    }
  }

  async #step(): Promise<void> {
    const record = this.#queue[0];
    if (this.#isFull(record)) await this.#write();
    else if (record) await this.#look(record);
    else if ((await this.#news()) === 'none') await this.#write();
    else if (this.#queue.length === 0 && this.#covered! > this.#next!) {
      // Markers, and records that were aborted, which came without any record.
      this.#next = this.#covered!;
      this.#options.hooks.onChange();
    }
  }

  /** What becomes of the record: others', moved, or into the batch. */
  async #look(record: ConsumedRecord): Promise<void> {
    const { writer, hooks, batch: limits, clock } = this.#options;
    writer.at?.(record.offset);
    const settled = this.#work(record, this.#signals);
    if (settled) await settled;
    const picked = this.#picked;
    this.#picked = undefined;
    const size = picked?.value.body.length ?? 0;
    const batch = this.#batch;
    // It begins the next one, and is looked at again then.
    if (picked && batch && !this.#redo && batch.bytes + size > limits.bytes) return this.#write();
    this.#queue.shift();
    this.#queueBytes -= recordBytes(record);
    this.#next = record.offset + 1n;
    if (picked || writer.hasMoves === true) {
      const { offset: first, timestampMs: firstMs } = record;
      const open = batch ?? { first, firstMs, dueMs: clock.monotonicMs() + limits.ageMs, records: 0, bytes: 0 };
      this.#batch = { ...open, end: this.#next, records: open.records + 1, bytes: open.bytes + size };
      const added = picked && writer.add(picked);
      if (added) await added;
    }
    if (this.#queue.length === 0) {
      // What lies between the last record and the end of what was fetched are markers, and records that were aborted.
      this.#next = this.#covered!;
      if (!this.#batch) this.#giveBack();
      hooks.onChange();
    }
  }

  /** A batch that is made again ends where it ended, whatever the limits are by now. */
  #isFull(next: ConsumedRecord | undefined): boolean {
    if (this.#redo) return this.#next! >= this.#redo.to || (next !== undefined && next.offset >= this.#redo.to);
    if (!this.#batch) return false;
    const { records, bytes, ageMs } = this.#options.batch;
    // Without an age it takes what has come, and waits for no more.
    const isOld = this.#waitMs() <= 0 && (ageMs > 0 || next === undefined);
    return isOld || this.#batch.records >= records || this.#batch.bytes >= bytes;
  }

  #waitMs(): number {
    return this.#batch ? this.#batch.dueMs - this.#options.clock.monotonicMs() : Infinity;
  }

  /** Resolves when something has come, the flow is being stopped or, with `none`, when the batch is not to wait longer. */
  async #news(): Promise<'some' | 'none'> {
    const { draining, clock } = this.#options;
    const woken = Promise.withResolvers<'some'>();
    this.#wake = () => {
      woken.resolve('some');
    };
    if (!this.#batch || this.#redo) return woken.promise;
    const isOver = new AbortController();
    const waitMs = draining ? Math.min(QUIET_MS, this.#waitMs()) : this.#waitMs();
    const quiet = clock.sleep(waitMs, isOver.signal).then(() => 'none' as const);
    quiet.catch(() => undefined);
    const news = await Promise.race([woken.promise, quiet]);
    isOver.abort();
    return news;
  }

  async #write(): Promise<void> {
    const { writer, hooks, onDelivered } = this.#options;
    const first = this.#batch?.first ?? this.#next!;
    const declare = async (note: string) => {
      this.#redo = undefined;
      this.#declared = note;
      return hooks.commit();
    };
    onDelivered(await writer.write({ first, end: this.#batch?.end ?? first }, declare, this.#signals));
    this.#batch = this.#redo = this.#declared = undefined;
    this.#giveBack();
    hooks.onChange();
  }

  /** What is behind the position is at the target, or moved: nobody reads it again. */
  #giveBack(): void {
    while (this.#memory[0] && this.#memory[0].end <= this.position!) this.#memory.shift()!.parts.forEach(giveBack);
  }

  async #whileWaiting<T>(wait: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#options.hooks.onChange();
    try {
      return await wait();
    } finally {
      this.#waiting -= 1;
      this.#options.hooks.onChange();
    }
  }
}
