import {
  partitionName,
  readToEnd,
  sendAll,
  type KafkaClient,
  type OutgoingRecord,
  type TopicPartition,
  type TransactionalProducer,
} from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import { MARKER_HEADER, partitionFor, REPLAY_HEADER, type TopicSize } from '@genesys-kafka/topics';
import type { StoredDeadLetter } from '../letters/stored-dead-letter.ts';
import type { LetterPlace } from '../objects/letter-place.ts';
import {
  readPending,
  removePending,
  writePending,
  writeReplayed,
  type PendingReplay,
} from '../objects/object-marks.ts';

export interface BatchPorts {
  readonly client: Pick<KafkaClient, 'read' | 'admin'>;
  readonly replays: TopicSize;
  /** Where marks are written in the transaction that replays; absent where dead letters go to object storage alone. */
  readonly deadLetters: TopicSize | undefined;
  readonly objects: LetterPlace | undefined;
  /** Of this connector: one replay at a time, the later one takes over. */
  readonly transactionalId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A dead letter and what is sent of it: a record for each route that it goes back to. */
export interface Routed {
  readonly stored: StoredDeadLetter;
  readonly records: readonly OutgoingRecord[];
}

/**
 * Replays a batch in one transaction, marks included. Where these cannot be part of it, the storage is told before what
 * is about to be replayed, and a later replay finds on their topic whether it was: see `settlePending`.
 */
export async function sendBack(
  producer: TransactionalProducer,
  batch: readonly Routed[],
  ports: BatchPorts,
  onCommitted: () => void,
): Promise<void> {
  const { replays, deadLetters, objects, clock, signal } = ports;
  const at = new Date(clock.nowMs()).toISOString();
  // One after the other: a record for one route may be all that a send can hold.
  const rounds: Sends[] = [];
  const round = (index: number) => (rounds[index] ??= new Sends());
  for (const { stored, records } of batch) {
    const { id } = stored;
    const target = { topic: replays.topic, partition: partitionOf(stored, replays.partitions) };
    for (const [index, record] of records.entries()) round(index).add(target, record);
    if (!deadLetters) continue;
    const partition =
      'partition' in stored.place ? stored.place.partition : partitionOf(stored, deadLetters.partitions);
    const headers = { [MARKER_HEADER.replayed]: id, [MARKER_HEADER.at]: at };
    round(0).add({ topic: deadLetters.topic, partition }, { key: null, value: null, headers });
  }
  const ids = batch.map(({ stored }) => stored.id);
  const pending = objects && !deadLetters ? await writePending(objects, await pendingOf(ids, at, ports), signal) : '';
  const transaction = await producer.begin();
  for (const { parts } of rounds) await sendAll(transaction, parts);
  await transaction.commit();
  onCommitted();
  if (!objects) return;
  await writeReplayed(
    objects,
    ids.map((id) => ({ id, at })),
    signal,
  );
  if (pending !== '') await removePending(objects, pending, signal);
}

/**
 * Finds out what became of this connector's replays that ended between their transaction and its mark: each that was
 * replayed lies on the topic of replays. To be called once earlier replays are fenced; one of another connector may be
 * under way.
 */
export async function settlePending(
  objects: LetterPlace,
  { client, transactionalId, signal }: Pick<BatchPorts, 'client' | 'transactionalId' | 'signal'>,
) {
  for (const { key, pending } of await readPending(objects, signal)) {
    const { at, by = transactionalId } = pending;
    if (by !== transactionalId) continue;
    const replayed = await replayedOf(client, pending, signal);
    await writeReplayed(
      objects,
      replayed.map((id) => ({ id, at })),
      signal,
    );
    await removePending(objects, key, signal);
  }
}

async function pendingOf(
  ids: readonly string[],
  at: string,
  { client, replays: { topic }, transactionalId: by }: BatchPorts,
): Promise<PendingReplay> {
  const ends = await client.admin.offsets(topic);
  const from = Object.fromEntries(ends.map(({ partition, end }) => [String(partition), String(end)]));
  return { v: 1, by, ids: [...ids], at, topic, from };
}

/**
 * Each by itself: whoever took over has replayed some of them in a transaction of his own, and then the one that was
 * announced here was none.
 */
async function replayedOf(
  client: Pick<KafkaClient, 'read' | 'admin'>,
  { ids, topic, from }: PendingReplay,
  signal: AbortSignal,
): Promise<string[]> {
  const wanted = new Set(ids);
  const found = new Set<string>();
  for (const { partition, first, end } of await client.admin.offsets(topic)) {
    const announced = BigInt(from[partition] ?? 0);
    // The topic was made anew since.
    if (announced > end) continue;
    const target = { topic, partition };
    const start = announced > first ? announced : first;
    for await (const { records } of readToEnd(client, target, { from: start, signal })) {
      for (const { headers } of records) {
        const id = headers[REPLAY_HEADER.replayOf]?.toString('utf8') ?? '';
        if (wanted.has(id)) found.add(id);
      }
    }
  }
  return [...found];
}

/** By key, as the records of the main topic; those without one stay where they came from. */
function partitionOf({ place, key, deadLetter }: StoredDeadLetter, partitions: number): number {
  if (key !== null) return partitionFor(key, partitions);
  if ('partition' in place) return place.partition % partitions;
  return 'topic' in deadLetter.origin ? deadLetter.origin.partition % partitions : 0;
}

/** Records by the partition that they go to: one send for each. */
class Sends {
  readonly #byPartition = new Map<string, { readonly target: TopicPartition; readonly records: OutgoingRecord[] }>();

  get parts() {
    return [...this.#byPartition.values()];
  }

  add(target: TopicPartition, record: OutgoingRecord): void {
    const name = partitionName(target);
    const send = this.#byPartition.get(name) ?? { target, records: [] };
    send.records.push(record);
    this.#byPartition.set(name, send);
  }
}
