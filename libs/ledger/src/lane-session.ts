import { randomUUID } from 'node:crypto';
import type { KafkaClient, KafkaErrorCode } from '@genesys-kafka/kafka';
import { OperationalError, retry, settledWithin, systemClock, type Clock } from '@genesys-kafka/resilience';
import type { LedgerError } from './errors.ts';
import { claimLane, lastClaim, takenOver, type ClaimedLane, type LaneIdentity } from './lane.ts';
import { isLaneInterrupted, LanePublisher, type PublisherEvents, type PublisherLimits } from './publisher.ts';
import { SendPace } from './send-pace.ts';

export interface LaneOptions {
  readonly client: KafkaClient;
  readonly identity: LaneIdentity;
  readonly limits: PublisherLimits;
  readonly events?: PublisherEvents;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Asked before each claim, also of a lane that was held before; rejects where it must not be claimed. */
  readonly mayClaim?: () => Promise<void>;
  /** Something failed that is tried again: the claim, or the work from what is committed. */
  readonly onInterrupted?: (error: OperationalError) => void;
}

/** Before the lane is read after an unknown outcome: time for a rightful owner's claim to be committed. */
const REREAD_WAIT_MS = 5_000;
/** How long a one-shot goes on from the first interruption without a single commit before it gives up. */
const MAX_STANDSTILL_MS = 300_000;
/** For as long as that brokers may be away when the lane is to be claimed: they were reached before. */
const CLAIM_ATTEMPTS = MAX_STANDSTILL_MS / REREAD_WAIT_MS;
/** How long a commit that is under way may take when the run is being stopped. */
const STOP_GRACE_MS = 10_000;

/**
 * Does `work` on a claimed lane. When a send or a commit fails, its outcome is unknown: the lane is let go, read, and,
 * if nobody else has claimed it, claimed again, and the work is called anew with what is committed by then. So resuming
 * after a broker's restart and after `kill -9` are one path (docs/exactly-once.md, rule 5). Rejects with the LedgerError
 * `taken-over` when somebody else holds the lane.
 */
export async function withLane<T>(
  options: LaneOptions,
  work: (lane: ClaimedLane, publisher: LanePublisher) => Promise<T>,
): Promise<T> {
  const clock = options.clock ?? systemClock;
  let lane = await claim(options);
  // Not since the last commit: a job may be waited for, for hours, before there is anything to commit.
  let interruptedSinceMs: number | undefined;
  const events: PublisherEvents = {
    ...options.events,
    onCommit: (commit) => {
      interruptedSinceMs = undefined;
      options.events?.onCommit?.(commit);
    },
  };
  const pace = new SendPace();
  for (;;) {
    const publisher = new LanePublisher(lane, options.limits, events, clock, pace);
    try {
      const result = await work(lane, publisher);
      await publisher.flush();
      return result;
    } catch (error) {
      if (options.signal.aborted) await settledWithin(publisher.flush(), STOP_GRACE_MS);
      options.signal.throwIfAborted();
      if (!isLaneInterrupted(error)) {
        // What was taken before the failure is whole steps: commit them, so that the ledger says how far it came.
        await publisher.flush().catch(() => undefined);
        throw error;
      }
      interruptedSinceMs ??= clock.monotonicMs();
      if (!isOutcomeUnknown(error)) throw refusalIn(error);
      if (clock.monotonicMs() - interruptedSinceMs > MAX_STANDSTILL_MS) throw error;
      options.onInterrupted?.(error);
    } finally {
      await publisher.close();
    }
    await clock.sleep(REREAD_WAIT_MS, options.signal);
    lane = await claimAgain(options, lane);
  }
}

/** Looks before each attempt: another command may have claimed the lane while the brokers were away. */
async function claimAgain(options: LaneOptions, held: ClaimedLane): Promise<ClaimedLane> {
  const { client, identity, signal, mayClaim } = options;
  const own = new Set([held.nonce]);
  return retry(async () => {
    await mayClaim?.();
    const last = await lastClaim(client, identity, { signal });
    if (last && !own.has(last.nonce)) throw takenOver(identity.transactionalId, last);
    const nonce = randomUUID();
    // Before it is known to be committed: where the answer is lost, the next attempt finds it.
    own.add(nonce);
    return claimLane(client, identity, { signal, nonce });
  }, retryOptions(options));
}

async function claim(options: LaneOptions): Promise<ClaimedLane> {
  const { client, identity, signal, mayClaim } = options;
  return retry(async () => {
    await mayClaim?.();
    return claimLane(client, identity, { signal });
  }, retryOptions(options));
}

function retryOptions({ signal, clock, onInterrupted }: LaneOptions) {
  const backoff = { initialMs: 500, factor: 2, maxMs: REREAD_WAIT_MS, jitterMs: 200 };
  const patience = { attempts: CLAIM_ATTEMPTS, maxElapsedMs: MAX_STANDSTILL_MS, backoff };
  return {
    ...patience,
    signal,
    onRetry: (error: OperationalError) => onInterrupted?.(error),
    ...(clock ? { clock } : {}),
  };
}

/**
 * Failures that say nothing of who is right or of what was written: the lane's last claim tells. A fenced producer and
 * one whose transaction timed out get the same error (docs/exactly-once.md, rule 5).
 */
const OUTCOME_UNKNOWN: ReadonlySet<string> = new Set<KafkaErrorCode>([
  'producer-fenced-or-timed-out',
  'producer-sequence-broken',
  'producer-discarded',
  'unexpected-answer',
]);

/** The brokers' own verdict, where there is one: a right that is missing is told as that, not as an interruption. */
function refusalIn(error: LedgerError): Error {
  return error.cause instanceof OperationalError ? error.cause : error;
}

function isOutcomeUnknown({ cause }: LedgerError): boolean {
  return cause instanceof OperationalError && (cause.retry || OUTCOME_UNKNOWN.has(cause.code));
}
