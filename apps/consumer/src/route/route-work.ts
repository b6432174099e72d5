import {
  nextStep,
  type CircuitState,
  type Delivery,
  type DeliveryOutcome,
  type NextStep,
  type Priority,
  type RetryPolicy,
  type Sink,
  type SinkGate,
} from '@genesys-kafka/delivery';
import type { ConsumedRecord } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import type { Owner, RuleVerdict } from '@genesys-kafka/routing';
import type { SchemaIds } from '@genesys-kafka/schema-registry';
import {
  idempotencyKey,
  openChecked,
  parseBody,
  parseRecordHeaders,
  TopicsError,
  type Poison,
  type RecordOrigin,
} from '@genesys-kafka/topics';
import type { Moves } from '../forward/forwarder.ts';
import type { Work, WorkSignals } from '../group/partition-flow.ts';
import { freshVisit, ownerOf, retryVisit, type Visit } from './record-visit.ts';

/** What a route does with the records that are its own. */
export interface RouteTarget {
  readonly sink: Sink;
  readonly gate: SinkGate;
  readonly priority: Priority;
  readonly policy: RetryPolicy;
  /** Retries wait in memory and hold their key, instead of going to the retry topics. */
  readonly blocking: boolean;
}

export interface RoutePorts {
  readonly mainTopic: string;
  /** Does this route take the record? Asked once, on the main topic. */
  readonly picks: (parsed: unknown, headers: Readonly<Record<string, string>>) => RuleVerdict;
  /** Is a record on a retry topic this route's? */
  readonly owns: (owner: Owner) => boolean;
  /** Where an unreadable record belongs: to one group, or each route would make a dead letter of it. */
  readonly keepsPoison: boolean;
  /** Absent where no registry is configured: then any id will do. */
  readonly schemas?: SchemaIds | undefined;
  /** Settles what the route has picked. */
  readonly settle: (record: PickedRecord, signals: WorkSignals) => Promise<void>;
  readonly moves: Moves;
  readonly clock: Clock;
  /** The record is not this route's. */
  readonly onSkipped: () => void;
}

/** A record that the route takes, and its bytes without the frame. */
export interface PickedRecord {
  readonly record: ConsumedRecord;
  readonly visit: Visit;
  readonly body: Buffer;
}

/** One record's way through one route: whose is it, when is it due, what is in it, who wants it, what becomes of it. */
export function routeWork(ports: RoutePorts): Work {
  const { mainTopic, owns, keepsPoison, settle, moves, clock, onSkipped } = ports;
  return async (record, signals) => {
    const fresh = record.topic === mainTopic;
    const owner = fresh ? undefined : ownerOf(record);
    if (owner !== undefined && !owns(owner)) {
      onSkipped();
      return;
    }
    if (owner === 'nobody') return moves.lost(record, signals);
    const visit = fresh ? freshVisit(record) : retryVisit(record);
    const waitMs = visit.notBeforeMs - clock.nowMs();
    if (waitMs > 0) await signals.notDue(async () => clock.sleep(waitMs, signals.stopping));
    const judged = await judge(record, visit, ports, signals.stopping);
    switch (judged.kind) {
      case 'picked':
        return settle({ record, visit, body: judged.body }, signals);
      case 'passed-over':
        onSkipped();
        return;
      case 'rule-error': {
        const letter = { stage: 'route', cause: judged.kind, reason: judged.reason, attempts: 0 } as const;
        return moves.deadLetter(record, visit, letter, signals);
      }
      case 'poison': {
        if (fresh && !keepsPoison) {
          onSkipped();
          return;
        }
        const { cause, reason } = judged;
        const letter = { stage: 'decode', cause, reason, attempts: visit.attempt - 1 } as const;
        return moves.deadLetter(record, visit, letter, signals);
      }
    }
  };
}

type Judged =
  | { readonly kind: 'picked'; readonly body: Buffer }
  | { readonly kind: 'passed-over' }
  | { readonly kind: 'rule-error'; readonly reason: string }
  | Poison;

async function judge(
  record: ConsumedRecord,
  { picked }: Visit,
  { picks, schemas }: Pick<RoutePorts, 'picks' | 'schemas'>,
  stopping: AbortSignal,
): Promise<Judged> {
  const opened = await openChecked(record.value, schemas, stopping);
  if (opened.kind === 'poison') return opened;
  const { body } = opened;
  return picked ? { kind: 'picked', body } : ruled(record, body, picks);
}

/** The parsed record lives in here and nowhere else: see `parseBody`. */
function ruled(record: ConsumedRecord, body: Buffer, picks: RoutePorts['picks']): Judged {
  // Also where there is no rule to ask: what is not JSON belongs to the group that keeps poison, not into a sink.
  const read = parseBody(body);
  if (read.kind === 'poison') return read;
  const verdict = picks(read.parsed, textHeaders(record));
  if ('error' in verdict) return { kind: 'rule-error', reason: verdict.error };
  return verdict.matched ? { kind: 'picked', body } : { kind: 'passed-over' };
}

export interface DeliveryPorts {
  readonly route: string;
  readonly target: RouteTarget;
  readonly moves: Moves;
  readonly clock: Clock;
  /** Told of each answer, with the time it took. */
  readonly onOutcome: (outcome: DeliveryOutcome, seconds: number) => void;
  readonly random?: () => number;
}

/** How far a record whose probe failed steps back behind the others that wait for the circuit, in milliseconds. */
const stepBackMs = 50;

/**
 * Delivers until the record is done or has been moved. While the circuit is open the record waits in hand and no
 * attempt is counted, a failed probe included: a target that is down costs a record nothing.
 */
export function deliverySettle(ports: DeliveryPorts): RoutePorts['settle'] {
  const { target, moves, clock } = ports;
  const { gate, policy, blocking } = target;
  return async ({ record, visit, body }, signals) => {
    const delivery = deliveryOf(ports.route, record, visit, body);
    let attempt = visit.attempt;
    for (let behindMs = 0; ;) {
      const outcome = await throughGate(ports, delivery, behindMs, signals);
      behindMs = 0;
      const step = nextStep({ attempt, outcome, policy, nowMs: clock.nowMs(), ...randomOf(ports) });
      if (step.kind === 'done') return;
      if (step.kind === 'circuit') {
        if (step.retryAfterMs !== undefined) gate.trip(step.retryAfterMs);
        attempt = step.attempt;
      } else if (burntByOpenCircuit(step, gate.state)) {
        behindMs = stepBackMs;
      } else if (step.kind === 'dead-letter') {
        const { cause, reason, httpStatus } = step.failure;
        const status = httpStatus === undefined ? {} : { httpStatus };
        const letter = { stage: 'deliver', cause, reason, ...status, attempts: attempt } as const;
        return moves.deadLetter(record, visit, letter, signals);
      } else if (blocking) {
        attempt = step.attempt;
        await clock.sleep(step.notBeforeMs - clock.nowMs(), signals.stopping);
      } else {
        return moves.retry(record, visit, step, signals);
      }
    }
  };
}

/** A transient failure that arrives while the circuit is open says nothing of this record. */
function burntByOpenCircuit(step: NextStep, circuit: CircuitState): boolean {
  return circuit === 'open' && (step.kind === 'retry' || (step.kind === 'dead-letter' && step.exhausted));
}

async function throughGate(
  { target, clock, onOutcome }: DeliveryPorts,
  delivery: Delivery,
  behindMs: number,
  { stopping, signal }: WorkSignals,
): Promise<DeliveryOutcome> {
  const deliver = async () => {
    const startedMs = clock.monotonicMs();
    const outcome = await target.sink.deliver(delivery, signal);
    onOutcome(outcome, (clock.monotonicMs() - startedMs) / 1000);
    return outcome;
  };
  for (let extraMs = behindMs; ; extraMs = 0) {
    const answer = await target.gate.run(target.priority, stopping, deliver);
    if (answer.kind !== 'circuit-open') return answer;
    await clock.sleep(answer.retryInMs + extraMs, stopping);
  }
}

function deliveryOf(route: string, record: ConsumedRecord, visit: Visit, body: Buffer): Delivery {
  return {
    route,
    body,
    key: record.key?.toString('utf8') ?? '',
    idempotencyKey: idempotencyKey(sourceOf(record), visit.origin),
    recordVersion: visit.recordVersion,
    contentType: 'application/json',
  };
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

function textHeaders(record: ConsumedRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, value.toString('utf8')]));
}

function randomOf({ random }: DeliveryPorts): { random?: () => number } {
  return random === undefined ? {} : { random };
}
