import type { ConsumedRecord } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import { ruleHeaders, type Owner, type RuleVerdict } from '@genesys-kafka/routing';
import { parseRecord, type RecordReader, type RecordValue, type Unreadable } from '@genesys-kafka/topics';
import { freshState, ownerOf, retriedState, type DeliveryState } from '../forward/delivery-state.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import type { Work, WorkSignals } from '../group/work.ts';

export interface RoutePorts {
  readonly mainTopic: string;
  /** Does this route take the record? Asked once, on the main topic. */
  readonly picks: (parsed: unknown, headers: Readonly<Record<string, string>>) => RuleVerdict;
  /** Is a record on a retry topic this route's? */
  readonly owns: (owner: Owner) => boolean;
  /** Where an unreadable record belongs: to one group, or each route would make a dead letter of it. */
  readonly keepsUnreadable: boolean;
  readonly reader: RecordReader;
  /** The most that a record on a retry topic can have been told to wait. */
  readonly longestWaitMs: number;
  /** Settles what the route has picked. */
  readonly settle: Settle;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  /** The record is not this route's. */
  readonly onSkipped: () => void;
}

/** A record that the route takes. */
export interface PickedRecord {
  readonly record: ConsumedRecord;
  readonly state: DeliveryState;
  readonly value: RecordValue;
}

export type Settle = (picked: PickedRecord, signals: WorkSignals) => Promise<void>;

/** One record's way through one route: whose is it, when is it due, what is in it, who wants it, what becomes of it. */
export function routeWork(ports: RoutePorts): Work {
  const { mainTopic, owns, keepsUnreadable, longestWaitMs, settle, forwarder, clock, onSkipped } = ports;
  return async (record, signals) => {
    const fresh = record.topic === mainTopic;
    const owner = fresh ? undefined : ownerOf(record);
    if (owner !== undefined && !owns(owner)) {
      onSkipped();
      return;
    }
    if (owner === 'nobody') return forwarder.orphaned(record, signals.signal);
    const state = fresh ? freshState(record) : retriedState(record);
    // No wait is longer than the last tier's: a clock that was set back by a day would make it one of a day.
    const waitMs = Math.min(state.notBeforeMs - clock.nowMs(), longestWaitMs);
    if (waitMs > 0) await signals.whileWaiting(async () => clock.sleep(waitMs, signals.stopping));
    const { origin, attempt } = state;
    const found = await evaluate(record, state, ports, signals.stopping);
    switch (found.kind) {
      case 'picked':
        return settle({ record, state, value: found.value }, signals);
      case 'not-matched':
        onSkipped();
        return;
      case 'rule-error': {
        const why = { stage: 'route', cause: found.kind, reason: found.reason, attempts: 0 } as const;
        return forwarder.deadLetter(record, origin, why, signals.signal);
      }
      case 'unreadable': {
        if (fresh && !keepsUnreadable) {
          onSkipped();
          return;
        }
        const why = { stage: 'decode', cause: found.cause, reason: found.reason, attempts: attempt - 1 } as const;
        return forwarder.deadLetter(record, origin, why, signals.signal);
      }
    }
  };
}

type Evaluation =
  | { readonly kind: 'picked'; readonly value: RecordValue }
  | { readonly kind: 'not-matched' }
  | { readonly kind: 'rule-error'; readonly reason: string }
  | Unreadable;

async function evaluate(
  record: ConsumedRecord,
  { picked }: DeliveryState,
  { picks, reader }: RoutePorts,
  stopping: AbortSignal,
): Promise<Evaluation> {
  const value = await reader.open(record.value, stopping);
  if (value.kind === 'unreadable') return value;
  return picked ? { kind: 'picked', value } : askRule(record, value, picks);
}

/** The parsed record lives in here and nowhere else: see `parseRecord`. */
function askRule(record: ConsumedRecord, value: RecordValue, picks: RoutePorts['picks']): Evaluation {
  // Also where there is no rule to ask: what is not JSON belongs to the group that keeps the unreadable, not to a sink.
  const read = parseRecord(value);
  if (read.kind === 'unreadable') return read;
  const verdict = picks(read.parsed, ruleHeaders(record.headers));
  if ('error' in verdict) return { kind: 'rule-error', reason: verdict.error };
  return verdict.matched ? { kind: 'picked', value } : { kind: 'not-matched' };
}
