import { randomUUID } from 'node:crypto';
import type { DeliveryOutcome, DeliverySignals } from '@genesys-kafka/delivery';
import {
  KafkaError,
  partitionName,
  recordBytes,
  type GroupCommit,
  type KafkaErrorCode,
  type OutgoingRecord,
  type TopicPartition,
  type TransactionalProducer,
} from '@genesys-kafka/kafka';
import { unlessAborted } from '@genesys-kafka/resilience';
import { partitionFor, REPLAY_HEADER, RETRY_HEADER } from '@genesys-kafka/topics';
import { ConsumerError } from '../errors.ts';
import { fitsTopic } from '../forward/fits-topic.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { refusesRecord, type MovedRecord, type RecordMover } from '../forward/topic-writer.ts';
import type { PickedRecord } from '../group/settle.ts';
import type { KafkaSink, Target } from './kafka-sink.ts';
import type { BatchRange, PartitionWriter, Start } from './partition-writer.ts';
import { claimPosition, lastClaim, positionRecord, type PositionOwner } from './positions.ts';
import { settledAtTarget, type TargetPorts } from './settled-at-target.ts';

export interface KafkaWriterOptions extends TargetPorts {
  readonly input: TopicPartition;
  readonly inputTopicId: string | undefined;
  readonly transactionalId: string;
  readonly sink: KafkaSink;
  readonly forwarderBy: (writer?: RecordMover) => Forwarder;
  /** The most that the dead-letter topic takes in one batch. */
  readonly deadLetterBytes: number;
  /** The operator has said that a lost position, or another number of partitions, is known. */
  readonly acceptChanges: boolean;
}

interface Output extends OutgoingRecord {
  readonly picked: PickedRecord;
  readonly value: Buffer | null;
}

/** A dead letter that goes with the batch, and the offset of its record. */
interface Move {
  readonly offset: bigint;
  readonly target: TopicPartition;
  readonly record: MovedRecord;
}

/** What is claimed: only with it anything is written. */
interface Claimed {
  readonly producer: TransactionalProducer;
  readonly target: Target;
  /** All below it is at the target. */
  position: bigint;
}

/** Also the time that a rightful owner has for its claim, before an interrupted one looks who that is. */
const BACKOFF = { initialMs: 5000, factor: 2, maxMs: 30_000, jitterMs: 500 };
/** One send carries so much at most. */
const SEND_BYTES = 1024 * 1024;
/** What a batch has beside its records, generously. */
const HEADROOM_BYTES = 64 * 1024;
const NOTE = /(?:^| )target=([0-9a-f]+):(\d{1,19})(?: |$)/;
/** Headers that say how a record came along this route, and nothing of the record. */
const WAY_HEADERS = new Set<string>([...Object.values(RETRY_HEADER), ...Object.values(REPLAY_HEADER)]);
/** They say nothing of who is right or of what was written: the position tells. */
const OUTCOME_UNKNOWN = new Set<KafkaErrorCode>([
  'producer-fenced-or-timed-out',
  'producer-sequence-broken',
  'producer-discarded',
  'unexpected-answer',
]);

/** The target refuses one of the records themselves. What refuses a claim, a position or a dead letter blames none. */
class RecordRefused extends Error {}

/**
 * A partition's batches as transactions at the target, each with the position after it. The partition is claimed before
 * its first batch is written; after a failure the producer is discarded, and unless somebody else has claimed the
 * partition since, it is claimed anew. What lies below the position that is read then is at the target, and is left out.
 */
export class KafkaPartitionWriter implements PartitionWriter, RecordMover {
  /** Moves what cannot be delivered: with the batch, or to another cluster before it. */
  readonly forwarder: Forwarder;
  readonly #options: KafkaWriterOptions;
  readonly #owner: PositionOwner;
  /** Claims of ours; whether they were committed may be unknown. */
  readonly #nonces = new Set<string>();
  /** What is kept beside the group's offset: the target, and the last position there that is known to be committed. */
  #kept: { readonly tag: string; readonly position: bigint } | undefined;
  #claimed: Claimed | undefined;
  #open: Output[] = [];
  #moves: Move[] = [];
  /** Of the record that is being looked at. */
  #at = 0n;
  readonly #givenUp = new Set<bigint>();

  constructor(options: KafkaWriterOptions) {
    this.#options = options;
    const { transactionalId, inputTopicId, sink, forwarderBy } = options;
    this.forwarder = sink.isOwnCluster ? forwarderBy(this) : forwarderBy();
    this.#owner = { transactionalId, inputTopicId, positions: sink.positionsOf(transactionalId) };
  }

  get note(): string | undefined {
    return this.#kept && `target=${this.#kept.tag}:${this.#kept.position}`;
  }

  begin(offset: bigint, kept: GroupCommit | undefined): Promise<Start> {
    const [, tag, position] = NOTE.exec(kept?.note ?? '') ?? [];
    if (tag !== undefined) this.#kept = { tag, position: BigInt(position!) };
    return Promise.resolve({ offset });
  }

  at(offset: bigint): void {
    this.#at = offset;
  }

  get hasMoves(): boolean {
    return this.#moves.length > 0;
  }

  /** Kept for the transaction of the open batch. What is too large for its topic would end that one: it is refused here. */
  append(target: TopicPartition, record: MovedRecord): Promise<void> {
    const { deadLetterBytes, sink } = this.#options;
    if (!fitsTopic(record, deadLetterBytes, sink.compression)) {
      const what = `${target.topic} takes ${deadLetterBytes} bytes in a batch, and the record has ${recordBytes(record)}.`;
      return Promise.reject(new KafkaError('message-too-large', what));
    }
    this.#moves.push({ offset: this.#at, target, record });
    return Promise.resolve();
  }

  add(picked: PickedRecord): undefined {
    const { record, state, value } = picked;
    const output: Output = {
      picked,
      key: record.key,
      value: this.#options.sink.frame === 'keep' ? record.value : value.body,
      headers: state.picked ? withoutWay(record.headers) : record.headers,
    };
    this.#open.push(output);
  }

  async write({ end }: BatchRange, _declare: unknown, signals: DeliverySignals): Promise<number> {
    const outputs = this.#open;
    this.#open = [];
    const written = await this.#write(outputs, end, signals);
    this.#givenUp.clear();
    return written;
  }

  async close(): Promise<void> {
    this.#open = [];
    this.#moves = [];
    await this.#discard();
  }

  /** Resolves with how many of them it has written, once the position at the target is `end`. */
  async #write(outputs: readonly Output[], end: bigint, signals: DeliverySignals): Promise<number> {
    let written = 0;
    const transact = async () => {
      written = await this.#transact(outputs, end, signals);
    };
    const attempt = async () => this.#try(transact, signals);
    const outcome = await settledAtTarget(attempt, this.#options, BACKOFF, signals.stopping);
    return outcome.kind === 'delivered' ? written : this.#apart(outputs, end, outcome.failure, signals);
  }

  /** One of them is refused for what it is: halves find out which. It becomes a dead letter, and the position passes it. */
  async #apart(
    outputs: readonly Output[],
    end: bigint,
    failure: { readonly cause: string; readonly reason: string },
    signals: DeliverySignals,
  ): Promise<number> {
    if (outputs.length > 1) {
      const middle = outputs.length >> 1;
      const [before, after] = [outputs.slice(0, middle), outputs.slice(middle)];
      const written = await this.#write(before, before.at(-1)!.picked.record.offset + 1n, signals);
      return written + (await this.#write(after, end, signals));
    }
    for (const { picked } of outputs) await this.#giveUp(picked, failure, signals);
    return this.#write([], end, signals);
  }

  async #giveUp(
    { record, state }: PickedRecord,
    failure: { readonly cause: string; readonly reason: string },
    { signal }: DeliverySignals,
  ): Promise<void> {
    const why = { stage: 'deliver', ...failure, attempts: state.attempt } as const;
    this.#at = record.offset;
    await this.forwarder.deadLetter(record, state.origin, why, signal);
  }

  async #transact(outputs: readonly Output[], end: bigint, signals: DeliverySignals): Promise<number> {
    const claimed = (this.#claimed ??= await this.#claim(signals));
    const { producer, target } = claimed;
    if (end <= claimed.position) {
      this.#moves = this.#moves.filter(({ offset }) => offset >= end);
      return 0;
    }
    const left = outputs.filter(({ picked }) => picked.record.offset >= claimed.position);
    const fitting = await this.#fitting(left, target, signals);
    const byPartition = Map.groupBy(fitting, ({ key, picked }) => partitionOf(key, picked, target.partitions));
    const moves = this.#moves.filter(({ offset }) => offset >= claimed.position && offset < end);
    const movesByPartition = Map.groupBy(moves, ({ target }) => partitionName(target));
    const transaction = await producer.begin();
    const { topic, partitions, tag } = target;
    const { inputTopicId } = this.#owner;
    const position = positionRecord(this.#owner, {
      offset: String(end),
      ...(inputTopicId === undefined ? {} : { inputTopicId }),
      ...{ target: tag, partitions },
    });
    const sends = [
      ...Array.from(byPartition, async ([partition, records]) => {
        for (const chunk of chunksOf(records, Math.min(target.maxBytes - HEADROOM_BYTES, SEND_BYTES)))
          await transaction.send({ topic, partition }, chunk).catch((cause: unknown) => {
            throw refusesRecord(cause) ? new RecordRefused('', { cause }) : cause;
          });
      }),
      ...Array.from(movesByPartition.values(), async (ofPartition) => {
        const records = ofPartition.map(({ record }) => record);
        const { target: to } = ofPartition[0]!;
        for (const chunk of chunksOf(records, SEND_BYTES))
          await transaction.send(to, chunk).catch((error: unknown) => {
            throw moveRefused(to, error);
          });
      }),
      transaction.send(this.#owner.positions, [position]),
    ];
    const failures: Error[] = [];
    await Promise.all(sends.map(async (send) => send.catch((error: unknown) => failures.push(error as Error))));
    // What failed first is what happened: after that the producer takes nothing more.
    const failure = failures.find((error) => !isDiscarded(error)) ?? failures[0];
    if (failure) throw failure;
    await transaction.commit();
    claimed.position = end;
    this.#moves = this.#moves.filter(({ offset }) => offset >= end);
    this.#kept = { tag: target.tag, position: end };
    return fitting.length;
  }

  /** What the target takes; the others become dead letters, each once in the life of a batch. */
  async #fitting(outputs: readonly Output[], target: Target, signals: DeliverySignals): Promise<readonly Output[]> {
    const { compression } = this.#options.sink;
    // Each is measured once: it is done to every record.
    const byFit = Map.groupBy(outputs, (output) => fitsTopic(output, target.maxBytes, compression));
    for (const { picked, ...output } of byFit.get(false) ?? []) {
      if (this.#givenUp.has(picked.record.offset)) continue;
      const reason = `${target.topic} takes ${target.maxBytes} bytes in a batch, and the record has ${recordBytes(output)}.`;
      await this.#giveUp(picked, { cause: 'message-too-large', reason }, signals);
      this.#givenUp.add(picked.record.offset);
    }
    return byFit.get(true) ?? [];
  }

  /** What a failure says. Whatever it is, the producer is done with. */
  async #try(work: () => Promise<void>, { signal }: DeliverySignals): Promise<DeliveryOutcome> {
    try {
      await unlessAborted(work(), signal);
      return { kind: 'delivered' };
    } catch (error) {
      await this.#discard();
      signal.throwIfAborted();
      const isRejected = error instanceof RecordRefused;
      const what = isRejected ? error.cause : error;
      if (!(what instanceof KafkaError)) throw error;
      const failure = { cause: what.code, reason: this.#options.sink.told(what).message };
      if (isRejected) return { kind: 'rejected', failure };
      const isTransient = what.retry || OUTCOME_UNKNOWN.has(what.code);
      return isTransient ? { kind: 'retry', failure } : { kind: 'misconfigured', failure };
    }
  }

  async #discard(): Promise<void> {
    const claimed = this.#claimed;
    this.#claimed = undefined;
    await claimed?.producer.close();
  }

  async #claim({ stopping, signal }: DeliverySignals): Promise<Claimed> {
    const { sink, transactionalId, clock } = this.#options;
    const { client } = sink;
    const target = await sink.target();
    if (this.#nonces.size > 0) {
      const last = await lastClaim(client, this.#owner, signal);
      if (last && !this.#nonces.has(last.nonce)) throw this.#takenOver(last);
    }
    // A partition that is being given up is another's to claim.
    stopping.throwIfAborted();
    const nonce = randomUUID();
    // Before it is known to be committed: where the answer is lost, the next attempt finds it.
    this.#nonces.add(nonce);
    const producer = client.transactionalProducer(transactionalId);
    try {
      const found = await claimPosition(client, producer, this.#owner, { nonce, nowMs: clock.nowMs(), signal });
      const position = BigInt(found?.offset ?? 0);
      if (!this.#options.acceptChanges) this.#assertSame(target, found && { ...found, position });
      this.#kept = { tag: target.tag, position };
      return { producer, target, position };
    } catch (error) {
      await producer.close();
      throw error;
    }
  }

  #assertSame(
    target: Target,
    found: { readonly position: bigint; readonly target: string; readonly partitions: number } | undefined,
  ): void {
    const { input } = this.#options;
    const where = `${input.topic} partition ${input.partition}`;
    const details = { ...input, target: target.topic };
    if (found?.target === target.tag && found.partitions !== target.partitions) {
      const what = `${target.topic} has ${target.partitions} partitions, and had ${found.partitions}: keys would go elsewhere.`;
      throw new ConsumerError('target-changed', what, { details });
    }
    const kept = this.#kept;
    if (kept?.tag !== target.tag || (found?.position ?? 0n) >= kept.position) return;
    const stands = found ? `is ${found.position}` : 'is gone';
    const what = `${where}: the records below ${kept.position} are in ${target.topic}, and the position kept there ${stands}.`;
    throw new ConsumerError('positions-lost', what, { details });
  }

  #takenOver({ host, pid, at }: { readonly host: string; readonly pid: number; readonly at: string }): ConsumerError {
    const { transactionalId, input } = this.#options;
    const what = `${input.topic} partition ${input.partition} was taken over by ${host}:${pid} at ${at} (${transactionalId}).`;
    return new ConsumerError('partition-taken-over', what, { details: { ...input, host, pid } });
  }
}

function isDiscarded(error: unknown): boolean {
  return error instanceof KafkaError && error.code === 'producer-discarded';
}

function withoutWay(headers: PickedRecord['record']['headers']): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !WAY_HEADERS.has(name)));
}

/** The same for the same key, whatever the input's partition; records without one stay together as they were. */
function partitionOf(key: OutgoingRecord['key'], { record }: PickedRecord, partitions: number): number {
  return key === null ? record.partition % partitions : partitionFor(key, partitions);
}

function* chunksOf(records: readonly OutgoingRecord[], maxBytes: number): Generator<OutgoingRecord[]> {
  let chunk: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = recordBytes(record);
    if (chunk.length > 0 && bytes + size > maxBytes) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(record);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** A dead letter that its topic refuses is no fault of a record of the batch: the records wait. */
function moveRefused({ topic }: TopicPartition, error: unknown): unknown {
  if (!refusesRecord(error)) return error;
  return new KafkaError('topic-unfit', `${topic} does not take a dead letter: ${error.message}`, { cause: error });
}
