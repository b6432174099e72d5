import { hostname } from 'node:os';
import {
  claimPartitions,
  KafkaError,
  partitionName,
  readToEnd,
  type ConsumedRecord,
  type KafkaClient,
  type OutgoingRecord,
  type TopicPartition,
  type TransactionalProducer,
} from '@genesys-kafka/kafka';
import { z } from 'zod';

/** Whose position it is: of one input partition on its way along one route. */
export interface PositionOwner {
  /** Fences, and names the entries in the topic of positions. */
  readonly transactionalId: string;
  /** Of the input topic: one that was made anew begins at its own start. */
  readonly inputTopicId: string | undefined;
  /** Where the entries lie, at the target's cluster. */
  readonly positions: TopicPartition;
}

const POSITION = z.object({
  v: z.literal(1),
  kind: z.literal('position'),
  /** All below it is at the target, or was not for it. */
  offset: z.string().regex(/^\d{1,19}$/),
  inputTopicId: z.string().optional(),
  target: z.string(),
  partitions: z.number(),
});
export type Position = z.output<typeof POSITION>;

const CLAIM = z.object({
  v: z.literal(1),
  kind: z.literal('claim'),
  nonce: z.string(),
  host: z.string(),
  pid: z.number(),
  at: z.string(),
});
export type Claim = z.output<typeof CLAIM>;

const claimKey = ({ transactionalId }: PositionOwner) => `claim/${transactionalId}`;
const positionKey = ({ transactionalId }: PositionOwner) => `position/${transactionalId}`;

/** The entry as it goes into the records' own transaction. */
export function positionRecord(owner: PositionOwner, position: Omit<Position, 'v' | 'kind'>): OutgoingRecord {
  const entry = { v: 1, kind: 'position', ...position } satisfies Position;
  return { key: positionKey(owner), value: Buffer.from(JSON.stringify(entry)) };
}

/**
 * Fences every earlier holder and reads the position up to one's own claim (docs/exactly-once.md, rule 3); undefined
 * where there is none of this input topic. Rejects with a KafkaError; the producer is then the caller's to close.
 */
export async function claimPosition(
  client: KafkaClient,
  producer: TransactionalProducer,
  owner: PositionOwner,
  claim: { readonly nonce: string; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<Position | undefined> {
  const at = new Date(claim.nowMs).toISOString();
  const entry = { v: 1, kind: 'claim', nonce: claim.nonce, host: hostname(), pid: process.pid, at } satisfies Claim;
  const value = Buffer.from(JSON.stringify(entry));
  let position: Position | undefined;
  await claimPartitions(client, producer, {
    partitions: [owner.positions],
    record: { key: claimKey(owner), value },
    isOwn: (record) => record.value?.equals(value) ?? false,
    onRecord: (record) => {
      if (record.key?.toString() === positionKey(owner)) position = decoded(record, POSITION);
    },
    hidden: (target, waitedMs) => {
      const what = `Our claim in ${partitionName(target)} did not become readable within ${Math.round(waitedMs / 1000)} s`;
      return new KafkaError('broker-not-ready', `${what}: another transaction is open in front of it.`);
    },
    signal: claim.signal,
  });
  return position?.inputTopicId === owner.inputTopicId ? position : undefined;
}

/** The last committed claim; for deciding who is right after a doubt. */
export async function lastClaim(
  client: KafkaClient,
  owner: PositionOwner,
  signal: AbortSignal,
): Promise<Claim | undefined> {
  let last: Claim | undefined;
  for await (const { records } of readToEnd(client, owner.positions, { signal }))
    for (const record of records) if (record.key?.toString() === claimKey(owner)) last = decoded(record, CLAIM);
  return last;
}

/** Fails closed: an entry in a form that this version does not know is not one that is missing. */
function decoded<T>(record: ConsumedRecord, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(record.value?.toString() ?? ''));
  } catch (cause) {
    const what = `The entry at offset ${record.offset} of ${partitionName(record)} is in a form that this version does not know.`;
    throw new KafkaError('topic-unfit', what, { cause });
  }
}
