import type { DeliveryOutcome, DeliverySignals, Lane, SinkGate } from '@genesys-kafka/delivery';
import type { GroupCommit, TopicPartition } from '@genesys-kafka/kafka';
import { backoffMs, type Clock } from '@genesys-kafka/resilience';
import type { BatchObject, ObjectBatch, S3Sink } from '@genesys-kafka/sinks';
import { ConsumerError } from '../errors.ts';
import type { PickedRecord } from '../group/settle.ts';
import type { BatchRange, PartitionWriter, Start } from './partition-writer.ts';

export interface ObjectWriterOptions {
  readonly target: TopicPartition;
  readonly groupId: string;
  readonly sink: S3Sink;
  readonly gate: SinkGate;
  readonly lane: Lane;
  /** Tells groups and topics of one name apart in the objects' keys. */
  readonly tag: string;
  /** The operator has said that what is in a batch may be decided otherwise by now. */
  readonly acceptChanges: boolean;
  readonly onAnswer: (outcome: DeliveryOutcome, seconds: number) => void;
  readonly clock: Clock;
}

const BACKOFF = { initialMs: 500, factor: 2, maxMs: 30_000, jitterMs: 500 };
const COMMIT_RETRY_MS = 1000;
const NOTE = /(?:^| )batch=(\d{1,19}):([0-9a-f]+)(?: |$)/;

/**
 * A partition's batches as objects. Before the first of a batch is put, where the batch ends and the digest of what is in
 * it are kept beside the group's offset, which stands at its first record. Whoever goes on after a crash makes the same
 * batch again, under the same keys; the offset moves when all of it is there.
 */
export class ObjectPartitionWriter implements PartitionWriter {
  readonly #options: ObjectWriterOptions;
  #batch: ObjectBatch | undefined;
  #records = 0;
  #expected: string | undefined;

  constructor(options: ObjectWriterOptions) {
    this.#options = options;
  }

  begin(offset: bigint, kept: GroupCommit | undefined): Promise<Start> {
    const [, end, digest] = NOTE.exec(kept?.note ?? '') ?? [];
    this.#expected = digest;
    if (end === undefined) return Promise.resolve({ offset });
    return Promise.resolve({ offset, redo: { to: BigInt(end), note: `batch=${end}:${digest}` } });
  }

  add({ record, value }: PickedRecord): Promise<void> | undefined {
    const { topic, partition, offset } = record;
    this.#batch ??= this.#options.sink.open({ topic, partition, first: offset, tag: this.#options.tag });
    this.#records += 1;
    return this.#batch.add(value.body, record.timestampMs);
  }

  async write(
    range: BatchRange,
    declare: (note: string) => Promise<boolean>,
    signals: DeliverySignals,
  ): Promise<number> {
    const { objects, digest } = (await this.#batch?.close()) ?? { objects: [], digest: 'none' };
    const isAgain = this.#expected !== undefined;
    if (isAgain && this.#expected !== digest && !this.#options.acceptChanges) throw this.#changed(range);
    if (this.#expected !== digest) await this.#declare(`batch=${range.end}:${digest}`, declare, signals);
    const put = await Promise.allSettled(objects.map(async (object) => this.#put(object, signals)));
    const failed = put.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason as Error;
    const written = this.#records;
    this.#records = 0;
    this.#batch = this.#expected = undefined;
    return written;
  }

  close(): Promise<void> {
    this.#batch?.abandon();
    this.#batch = undefined;
    return Promise.resolve();
  }

  async #declare(
    note: string,
    declare: (note: string) => Promise<boolean>,
    { stopping }: DeliverySignals,
  ): Promise<void> {
    for (;;) {
      stopping.throwIfAborted();
      if (await declare(note)) return;
      await this.#options.clock.sleep(COMMIT_RETRY_MS, stopping);
    }
  }

  async #put(object: BatchObject, { stopping, signal }: DeliverySignals): Promise<void> {
    const { gate, lane, sink, clock, onAnswer } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const answer = await gate.run(lane, stopping, async (onWritten) => {
        onWritten();
        const startedMs = clock.monotonicMs();
        const outcome = await sink.put(object, signal);
        onAnswer(outcome, (clock.monotonicMs() - startedMs) / 1000);
        return [outcome];
      });
      if ('kind' in answer) {
        await clock.sleep(answer.retryInMs, stopping);
        continue;
      }
      if (answer[0]!.kind === 'delivered') return;
      await clock.sleep(backoffMs(BACKOFF, attempt), stopping);
    }
  }

  #changed({ first, end }: BatchRange): ConsumerError {
    const { target, groupId } = this.#options;
    const what =
      `${target.topic} partition ${target.partition}: group ${groupId} was writing the records from offset ${first} on ` +
      `when it ended (up to ${end}), and the same records would now make other objects.`;
    return new ConsumerError('batch-changed', what, { details: { groupId, ...target } });
  }
}
