import type { Clock } from '@genesys-kafka/resilience';
import type { Lane } from './priority-queue.ts';
import type { CircuitOpen, SinkGate } from './sink-gate.ts';
import type { Delivery, DeliveryOutcome, Sink } from './sink.ts';

export interface BatcherOptions {
  readonly sink: Sink;
  readonly gate: SinkGate;
  readonly lane: Lane;
  readonly clock: Clock;
  /** Told of each answered request that settles its records, with the time it took. */
  readonly onAnswer: (outcomes: readonly DeliveryOutcome[], seconds: number) => void;
}

/** The two ways in which a record's delivery may be told to end. */
export interface DeliverySignals {
  /** Ends the wait for a request; one that has begun goes on. */
  readonly stopping: AbortSignal;
  /** Ends a request too, once nobody else's record is in it. */
  readonly signal: AbortSignal;
}

interface Entry {
  readonly delivery: Delivery;
  readonly signals: DeliverySignals;
  readonly resolve: (answer: DeliveryOutcome | CircuitOpen) => void;
  readonly reject: (reason: Error) => void;
}

/** One for all: a reason that is made anew, with its stack, would cost as much as the batch. */
const RIPE = new Error('the batch waits no longer');

/** Records that will go in one request. It takes more until it is full, too old, or its request begins. */
class Batch {
  readonly entries: Set<Entry>;
  /** Aborts when it is to wait for no more company. */
  readonly ripe = new AbortController();
  /** Aborts when the last of its records has been let go. */
  readonly deserted = new AbortController();
  bytes = 0;
  /** As they stand in the request; undefined before that begins. */
  sent: readonly Entry[] | undefined;

  constructor(entries: readonly Entry[] = []) {
    this.entries = new Set(entries);
  }
}

/**
 * What stands between one route's records and the gate of their sink: it gathers them into the batches that the sink
 * wants, in the order in which they come, and tells each record its own outcome. Whoever hands records over has at most
 * one of each key in hand (one partition works on a key's records one after the other), so no batch holds two of a
 * key, and those of a key are in batches one after the other.
 *
 * A request that is refused as a whole for one of its records is sent again in halves, each a request like any other
 * to the gate: a batch of n makes at most 2n - 1 of them, and about 2 log2 n for each record at fault.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #open: Batch | undefined;
  /** Those whose records have no outcome yet. */
  readonly #batches = new Set<Batch>();
  /** Listened to once each: a signal looks through all of its listeners for each one more. */
  readonly #heard = new WeakSet<AbortSignal>();

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /**
   * Resolves with what became of the record, or with `circuit-open` where it was not sent. Rejects with the reason of
   * whichever signal ends it.
   */
  deliver(delivery: Delivery, signals: DeliverySignals): Promise<DeliveryOutcome | CircuitOpen> {
    return this.#options.sink.batch.records === 1 ? this.#alone(delivery, signals) : this.#together(delivery, signals);
  }

  /** Nothing to wait for: the record's signals are the request's. */
  async #alone(delivery: Delivery, { stopping, signal }: DeliverySignals): Promise<DeliveryOutcome | CircuitOpen> {
    const { gate, lane } = this.#options;
    const answer = await gate.run(lane, stopping, (onWritten) => this.#send([delivery], signal, onWritten));
    return 'kind' in answer ? answer : answer[0]!;
  }

  #together(delivery: Delivery, signals: DeliverySignals): Promise<DeliveryOutcome | CircuitOpen> {
    const { stopping, signal } = signals;
    if (stopping.aborted) return Promise.reject(stopping.reason as Error);
    const { promise, resolve, reject } = Promise.withResolvers<DeliveryOutcome | CircuitOpen>();
    this.#join({ delivery, signals, resolve, reject });
    this.#hear(stopping);
    this.#hear(signal);
    return promise;
  }

  /**
   * What has gathered asks for its turn now, however young it is, and takes along what comes until then. For a caller
   * who can hand over no more before something of it is settled.
   */
  hurry(): void {
    if (this.#open) ripen(this.#open);
  }

  #hear(signal: AbortSignal): void {
    if (this.#heard.has(signal)) return;
    this.#heard.add(signal);
    const onAbort = () => {
      for (const batch of this.#batches)
        for (const entry of batch.entries) {
          const { signals } = entry;
          const isOver = signals.signal === signal || (signals.stopping === signal && !batch.sent);
          if (isOver) this.#leave(batch, entry, signal.reason as Error);
        }
    };
    signal.addEventListener('abort', onAbort, { once: true });
  }

  #join(entry: Entry): void {
    const limits = this.#options.sink.batch;
    const size = entry.delivery.body.length;
    if (this.#open && this.#open.bytes + size > limits.bytes) this.#close(this.#open);
    const batch = this.#open ?? new Batch();
    batch.entries.add(entry);
    batch.bytes += size;
    if (this.#open === undefined) {
      this.#open = batch;
      this.#batches.add(batch);
      void this.#run(batch);
    }
    if (batch.entries.size >= limits.records || batch.bytes >= limits.bytes) this.#close(batch);
  }

  #leave(batch: Batch, entry: Entry, reason: Error): void {
    entry.reject(reason);
    batch.entries.delete(entry);
    batch.bytes -= entry.delivery.body.length;
    if (batch.entries.size > 0) return;
    this.#close(batch);
    batch.deserted.abort(reason);
  }

  #close(batch: Batch): void {
    ripen(batch);
    if (this.#open === batch) this.#open = undefined;
  }

  async #run(batch: Batch): Promise<void> {
    const { clock, sink } = this.#options;
    const { ageMs } = sink.batch;
    // What is handed over in one go is not to be told apart.
    await Promise.resolve();
    if (ageMs > 0) await clock.sleep(ageMs, batch.ripe.signal).catch(() => undefined);
    await this.#request(batch);
  }

  async #request(batch: Batch): Promise<void> {
    const { gate, lane } = this.#options;
    const { signal } = batch.deserted;
    try {
      const answer = await gate.run(lane, signal, async (onWritten) => {
        this.#close(batch);
        batch.sent = [...batch.entries];
        const deliveries = batch.sent.map(({ delivery }) => delivery);
        return this.#send(deliveries, signal, onWritten);
      });
      if ('kind' in answer) for (const { resolve } of batch.entries) resolve(answer);
      else this.#settle(batch, answer);
    } catch (error) {
      for (const { reject } of batch.entries) reject(error as Error);
    } finally {
      this.#close(batch);
      this.#batches.delete(batch);
    }
  }

  #settle(batch: Batch, outcomes: readonly DeliveryOutcome[]): void {
    const sent = batch.sent!;
    if (sent.length === 1) {
      sent[0]!.resolve(outcomes[0]!);
      return;
    }
    const suspects: Entry[] = [];
    sent.forEach((entry, index) => {
      const outcome = outcomes[index]!;
      if (!isOfSeveral(outcome)) entry.resolve(outcome);
      else if (batch.entries.has(entry)) suspects.push(entry);
    });
    this.#divide(suspects);
  }

  #divide(suspects: readonly Entry[]): void {
    // Nothing new is begun of a partition that is being given up.
    for (const { signals, reject } of suspects) if (signals.stopping.aborted) reject(signals.stopping.reason as Error);
    const left = suspects.filter(({ signals }) => !signals.stopping.aborted);
    const middle = Math.ceil(left.length / 2);
    for (const half of [left.slice(0, middle), left.slice(middle)]) {
      if (half.length === 0) continue;
      const batch = new Batch(half);
      this.#batches.add(batch);
      void this.#request(batch);
    }
  }

  async #send(
    batch: readonly Delivery[],
    signal: AbortSignal,
    onWritten: () => void,
  ): Promise<readonly DeliveryOutcome[]> {
    const { sink, clock, onAnswer } = this.#options;
    const startedMs = clock.monotonicMs();
    const outcomes = await sink.deliver(batch, signal, onWritten);
    if (outcomes.length !== batch.length)
      throw new Error(`a sink answered ${outcomes.length} outcomes for ${batch.length} records`);
    const settled = batch.length === 1 ? outcomes : outcomes.filter((outcome) => !isOfSeveral(outcome));
    if (settled.length > 0) onAnswer(settled, (clock.monotonicMs() - startedMs) / 1000);
    return outcomes;
  }
}

function isOfSeveral(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'rejected' && outcome.ofSeveral === true;
}

function ripen({ ripe }: Batch): void {
  if (!ripe.signal.aborted) ripe.abort(RIPE);
}
