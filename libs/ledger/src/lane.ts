import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  claimPartitions,
  partitionName,
  readToEnd,
  type KafkaClient,
  type ReadToEndOptions,
  type TopicPartition,
  type TransactionalProducer,
} from '@genesys-kafka/kafka';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { applyRecord, claimKey, decodeLedgerValue, encodeLedgerValue, type Claim, type LedgerLine } from './entries.ts';
import { LedgerError } from './errors.ts';

/** One transactional id and the ledger partition that it alone writes these keys to. */
export interface LaneIdentity {
  readonly transactionalId: string;
  readonly ledger: TopicPartition;
  /** Where only what has changed is published: the partition of the same number, for what was published last. */
  readonly digests?: TopicPartition;
  /** Keys of this lane's entries begin with this. */
  readonly keyPrefix: string;
}

/** A lane that is ours: fenced, claimed and read. */
export interface ClaimedLane {
  readonly identity: LaneIdentity;
  readonly producer: TransactionalProducer;
  readonly nonce: string;
  /** Committed entries by key, as of the claim. */
  readonly entries: ReadonlyMap<string, LedgerLine>;
}

/**
 * Takes a lane over: fences every earlier holder, commits a claim with a fresh nonce, and reads the partition up to it
 * (docs/exactly-once.md, rule 3). Rejects with a KafkaError when the cluster cannot be reached, and with the LedgerError
 * `ledger-blocked` when another writer's transaction stays open in front of the claim.
 */
export async function claimLane(
  client: KafkaClient,
  identity: LaneIdentity,
  options: { readonly signal?: AbortSignal; readonly clock?: Clock; readonly nonce?: string } = {},
): Promise<ClaimedLane> {
  const { nonce = randomUUID() } = options;
  const at = new Date((options.clock ?? systemClock).nowMs()).toISOString();
  const claim: Claim = { v: 1, kind: 'claim', nonce, host: hostname(), pid: process.pid, at };
  const [key, value] = [claimKey(identity.transactionalId), encodeLedgerValue(claim)];
  const entries = new Map<string, LedgerLine>();
  const producer = client.transactionalProducer(identity.transactionalId);
  try {
    await claimPartitions(client, producer, {
      ...options,
      partitions: [identity.ledger],
      record: { key, value },
      // The nonce is part of the value.
      isOwn: (record) => record.value?.equals(value) ?? false,
      onRecord(record) {
        const found = record.key?.toString();
        if (found === key || found?.startsWith(identity.keyPrefix)) applyRecord(entries, record);
      },
      hidden: ledgerBlocked,
    });
    return { identity, producer, nonce, entries };
  } catch (error) {
    await producer.close();
    throw error;
  }
}

/** The last committed claim of a lane, or undefined. For deciding who is right after a doubt. */
export async function lastClaim(
  client: KafkaClient,
  identity: LaneIdentity,
  options: ReadToEndOptions = {},
): Promise<Claim | undefined> {
  let last: Claim | undefined;
  for await (const slice of readToEnd(client, identity.ledger, options)) {
    for (const record of slice.records) {
      if (record.key?.toString() !== claimKey(identity.transactionalId) || record.value === null) continue;
      const value = decodeLedgerValue(record.key.toString(), record.value);
      if (value.kind === 'claim') last = value;
    }
  }
  return last;
}

/** The lane has another holder, who goes on with its work. */
export function takenOver(transactionalId: string, { host, pid, at }: Claim): LedgerError {
  const what = `Taken over by ${host}:${pid} at ${at}, which runs the same work (${transactionalId}).`;
  return new LedgerError('taken-over', what, { details: { host, pid } });
}

function ledgerBlocked(ledger: TopicPartition, waitedMs: number): LedgerError {
  return new LedgerError(
    'ledger-blocked',
    `Our claim in ${partitionName(ledger)} did not become readable within ${Math.round(waitedMs / 1000)} s: ` +
      'another transaction is open in front of it.',
  );
}
