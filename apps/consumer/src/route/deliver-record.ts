import {
  nextStep,
  type Batcher,
  type CircuitState,
  type Delivery,
  type NextStep,
  type RetryPolicy,
  type SinkGate,
} from '@genesys-kafka/delivery';
import type { ConsumedRecord } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import type { Shaped } from '@genesys-kafka/routing';
import {
  REPLAY_HEADER,
  TopicsError,
  idempotencyKey,
  parseRecordHeaders,
  type RecordOrigin,
} from '@genesys-kafka/topics';
import type { Forwarder } from '../forward/forwarder.ts';
import type { PickedRecord, Settle } from '../group/settle.ts';

export interface DeliveryPorts {
  readonly route: string;
  readonly batcher: Batcher;
  /** For replayed dead letters, which have a share of their own. */
  readonly replays: Batcher;
  /** The batchers', shared by all routes of the sink. */
  readonly gate: SinkGate;
  readonly policy: RetryPolicy;
  /** Retries wait in memory and hold their key, instead of going to the retry topics. */
  readonly blocking: boolean;
  /** What is delivered instead of the record as it is; undefined where that is it. Absent where nothing is reshaped. */
  readonly reshape?: (picked: PickedRecord) => Shaped | { readonly failed: string } | undefined;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly onDelivered: () => void;
  readonly random?: () => number;
}

/** How far a record whose probe failed steps back behind the others that wait for the circuit. */
const STEP_BACK_MS = 50;

/**
 * Delivers until the record is done or has been moved. While the circuit is open the record waits in hand and no
 * attempt is counted, a failed probe included: a target that is down costs a record nothing.
 */
export function deliverRecord(ports: DeliveryPorts): Settle {
  const { gate, policy, blocking, forwarder, clock, onDelivered, random = Math.random } = ports;
  return async (picked, signals) => {
    const { record, state } = picked;
    const shaped = ports.reshape?.(picked);
    if (shaped && 'failed' in shaped) {
      const why = {
        stage: 'route',
        cause: 'reshape-error',
        reason: shaped.failed,
        attempts: state.attempt - 1,
      } as const;
      return forwarder.deadLetter(record, state.origin, why, signals.signal);
    }
    const delivery = new PickedDelivery(ports.route, picked, shaped);
    const batcher = REPLAY_HEADER.replayOf in record.headers ? ports.replays : ports.batcher;
    let attempt = state.attempt;
    for (let behindMs = 0; ;) {
      const outcome = await batcher.deliver(delivery, signals);
      if (outcome.kind === 'circuit-open') {
        await clock.sleep(outcome.retryInMs + behindMs, signals.stopping);
        behindMs = 0;
        continue;
      }
      behindMs = 0;
      const nowMs = clock.nowMs();
      const step = nextStep({ attempt, outcome, policy, nowMs, random });
      if (step.kind === 'done') {
        onDelivered();
        return;
      }
      if (step.kind === 'held') {
        attempt = step.attempt;
      } else if (burntByOpenCircuit(step, gate.state)) {
        behindMs = STEP_BACK_MS;
      } else if (step.kind === 'dead-letter') {
        const why = { stage: 'deliver', ...step.failure, attempts: attempt } as const;
        return forwarder.deadLetter(record, state.origin, why, signals.signal);
      } else if (blocking) {
        attempt = step.attempt;
        await clock.sleep(step.notBeforeMs - nowMs, signals.stopping);
      } else {
        return forwarder.retry(record, state, step, signals.signal);
      }
    }
  };
}

/** A transient failure that arrives while the circuit is open says nothing of this record. */
function burntByOpenCircuit(step: NextStep, circuit: CircuitState): boolean {
  return circuit === 'open' && (step.kind === 'retry' || (step.kind === 'dead-letter' && step.exhausted));
}

/** Made of its record when it is asked for: many wait, and some sinks do not ask for all. */
class PickedDelivery implements Delivery {
  readonly route: string;
  readonly shapedHeaders?: Readonly<Record<string, string>>;
  readonly #picked: PickedRecord;
  #idempotencyKey: string | undefined;
  readonly #shaped: Shaped | undefined;

  constructor(route: string, picked: PickedRecord, shaped: Shaped | undefined) {
    this.route = route;
    this.#picked = picked;
    this.#shaped = shaped;
    if (shaped) this.shapedHeaders = shaped.headers;
  }

  get body(): Buffer {
    return this.#shaped?.body ?? this.#picked.value.body;
  }

  get key(): string {
    return this.#shaped?.key ?? this.#picked.record.key?.toString('utf8') ?? '';
  }

  get idempotencyKey(): string {
    const { record, state } = this.#picked;
    return (this.#idempotencyKey ??= idempotencyKey(sourceOf(record), state.origin));
  }

  get recordVersion(): bigint {
    return this.#picked.state.recordVersion;
  }

  get contentType(): string {
    return this.#picked.value.contentType;
  }

  get headers(): Readonly<Record<string, Buffer>> {
    return this.#picked.record.headers;
  }
}

/** Source and ordinal; a record of another producer, with headers of its own, is known by its place instead. */
function sourceOf({ headers }: ConsumedRecord): RecordOrigin {
  try {
    return parseRecordHeaders(headers);
  } catch (error) {
    if (error instanceof TopicsError) return {};
    throw error;
  }
}
