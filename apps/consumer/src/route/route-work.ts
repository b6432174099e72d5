import type { ConsumedRecord } from '@genesys-kafka/kafka';
import type { Clock } from '@genesys-kafka/resilience';
import type { Owner, RuleVerdict } from '@genesys-kafka/routing';
import { parseRecord, unreadableIn, type RecordReader, type RecordValue, type Unreadable } from '@genesys-kafka/topics';
import { freshState, ownerOf, retriedState, type DeliveryState } from '../forward/delivery-state.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import type { Settle } from '../group/settle.ts';
import type { Work, WorkSignals } from '../group/work.ts';

export interface RoutePorts {
  readonly mainTopic: string;
  /** Does this route take the record? Asked once, on the main topic; a boolean where no rule needs to see the record. */
  readonly picks: boolean | ((parsed: unknown, headers: ConsumedRecord['headers']) => RuleVerdict);
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

/**
 * One record's way through one route: whose is it, when is it due, what is in it, who wants it, what becomes of it.
 * Most of it needs no waiting, and is done at once: a promise for each step would cost more than the steps.
 */
export function routeWork(ports: RoutePorts): Work {
  const { mainTopic, longestWaitMs, forwarder, clock, onSkipped } = ports;
  const retried = async (record: ConsumedRecord, signals: WorkSignals) => {
    const state = retriedState(record);
    // No wait is longer than the last tier's: a clock that was set back by a day would make it one of a day.
    const waitMs = Math.min(state.notBeforeMs - clock.nowMs(), longestWaitMs);
    if (waitMs > 0) await signals.whileWaiting(async () => clock.sleep(waitMs, signals.stopping));
    return open(record, state, ports, signals);
  };
  return (record, signals) => {
    if (record.topic === mainTopic) return open(record, freshState(record), ports, signals);
    const owner = ownerOf(record);
    if (!ports.owns(owner)) {
      onSkipped();
      return undefined;
    }
    return owner === 'nobody' ? forwarder.orphaned(record, signals.signal) : retried(record, signals);
  };
}

function open(
  record: ConsumedRecord,
  state: DeliveryState,
  ports: RoutePorts,
  signals: WorkSignals,
): Promise<void> | undefined {
  const value = ports.reader.open(record.value, signals.stopping);
  if (!(value instanceof Promise)) return decide(record, state, value, ports, signals);
  return value.then((known) => decide(record, state, known, ports, signals));
}

function decide(
  record: ConsumedRecord,
  state: DeliveryState,
  value: RecordValue | Unreadable,
  { picks, keepsUnreadable, settle, forwarder, onSkipped }: RoutePorts,
  signals: WorkSignals,
): Promise<void> | undefined {
  const found = value.kind === 'unreadable' || state.picked ? value : askRule(record, value, picks);
  switch (found.kind) {
    case 'record':
      return settle({ record, state, value: found }, signals);
    case 'not-matched':
      onSkipped();
      return undefined;
    case 'rule-error': {
      const why = { stage: 'route', cause: found.kind, reason: found.reason, attempts: 0 } as const;
      return forwarder.deadLetter(record, state.origin, why, signals.signal);
    }
    case 'unreadable': {
      if (!state.picked && !keepsUnreadable) {
        onSkipped();
        return undefined;
      }
      const why = { stage: 'decode', cause: found.cause, reason: found.reason, attempts: state.attempt - 1 } as const;
      return forwarder.deadLetter(record, state.origin, why, signals.signal);
    }
  }
}

type Verdict =
  | RecordValue
  | Unreadable
  | { readonly kind: 'not-matched' }
  | { readonly kind: 'rule-error'; readonly reason: string };

const NOT_MATCHED = { kind: 'not-matched' } as const;

/** The parsed record lives in here and nowhere else: see `parseRecord`. */
function askRule(record: ConsumedRecord, value: RecordValue, picks: RoutePorts['picks']): Verdict {
  // Also where there is no rule to ask: what is not JSON belongs to the group that keeps the unreadable, not to a sink.
  if (typeof picks === 'boolean') return unreadableIn(value) ?? (picks ? value : NOT_MATCHED);
  const read = parseRecord(value);
  if (read.kind === 'unreadable') return read;
  const verdict = picks(read.parsed, record.headers);
  if ('error' in verdict) return { kind: 'rule-error', reason: verdict.error };
  return verdict.matched ? value : NOT_MATCHED;
}
