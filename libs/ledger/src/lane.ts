import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  OPEN_TRANSACTION_MS,
  readToEnd,
  type KafkaClient,
  type ReadToEndOptions,
  type TopicPartition,
  type TransactionalProducer,
} from '@genesys-kafka/kafka';
import { OperationalError, systemClock, type Clock } from '@genesys-kafka/resilience';
import { claimKey, decodeLedgerValue, encodeLedgerValue, type Claim, type LedgerEntry } from './entries.ts';

/** One transactional id and the ledger partition that it alone writes these keys to. */
export interface LaneIdentity {
  readonly transactionalId: string;
  readonly ledger: TopicPartition;
  /** Keys of this lane's entries begin with this. */
  readonly keyPrefix: string;
}

/** A lane that is ours: fenced, claimed and read. */
export interface ClaimedLane {
  readonly identity: LaneIdentity;
  readonly producer: TransactionalProducer;
  readonly nonce: string;
  /** Committed entries by key, as of the claim. */
  readonly entries: ReadonlyMap<string, LedgerEntry>;
}

export class TakenOverError extends OperationalError {
  constructor(transactionalId: string, claim: Claim) {
    super(
      'taken-over',
      `Taken over by ${claim.host}:${claim.pid} at ${claim.at}, which runs the same work (${transactionalId}). ` +
        'It goes on from the last committed record; nothing is lost. Run one instance at a time.',
      { details: { host: claim.host, pid: claim.pid } },
    );
  }
}

export class LedgerBlockedError extends OperationalError {
  constructor(ledger: TopicPartition, waitedMs: number) {
    super(
      'ledger-blocked',
      `Our claim in ${ledger.topic}-${ledger.partition} did not become readable within ${Math.round(waitedMs / 1000)} s: ` +
        'another transaction is open in front of it. Brokers abort a dead writer after 30 to 40 s; try again then.',
      { retry: true },
    );
  }
}

/**
 * Takes a lane over: fences every earlier holder, commits a claim with a fresh nonce, and reads the partition from its
 * start until that nonce is seen. Only then is the state known: end offsets lie behind open transactions
 * (reference/exactly-once.md, 3). Rejects with a KafkaError when the cluster cannot be reached.
 */
export async function claimLane(
  client: KafkaClient,
  identity: LaneIdentity,
  options: { readonly signal?: AbortSignal; readonly clock?: Clock } = {},
): Promise<ClaimedLane> {
  const clock = options.clock ?? systemClock;
  const nonce = randomUUID();
  const producer = client.transactionalProducer(identity.transactionalId);
  try {
    const transaction = await producer.begin();
    const at = new Date(clock.nowMs()).toISOString();
    const claim: Claim = { v: 1, kind: 'claim', nonce, host: hostname(), pid: process.pid, at };
    await transaction.send(identity.ledger, [
      { key: claimKey(identity.transactionalId), value: encodeLedgerValue(claim) },
    ]);
    await transaction.commit();
    const entries = await readUntilNonce(client, identity, nonce, clock, options.signal);
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

async function readUntilNonce(
  client: KafkaClient,
  identity: LaneIdentity,
  nonce: string,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Map<string, LedgerEntry>> {
  const entries = new Map<string, LedgerEntry>();
  const startMs = clock.monotonicMs();
  for await (const slice of client.read(identity.ledger, { from: 'start', ...(signal ? { signal } : {}) })) {
    for (const record of slice.records) {
      const key = record.key?.toString();
      if (key === undefined) continue;
      const isOurs = key.startsWith(identity.keyPrefix);
      if (!isOurs && key !== claimKey(identity.transactionalId)) continue;
      if (record.value === null) {
        entries.delete(key);
        continue;
      }
      const value = decodeLedgerValue(key, record.value);
      if (value.kind === 'window') entries.set(key, value);
      else if (value.nonce === nonce) return entries;
    }
    const waitedMs = clock.monotonicMs() - startMs;
    if (slice.nextOffset >= slice.lastStableOffset && waitedMs > OPEN_TRANSACTION_MS) {
      throw new LedgerBlockedError(identity.ledger, waitedMs);
    }
  }
  throw new LedgerBlockedError(identity.ledger, clock.monotonicMs() - startMs);
}
