import type { ConsumedRecord } from '@genesys-kafka/kafka';
import type { RecordValue } from '@genesys-kafka/topics';
import type { DeliveryState } from '../forward/delivery-state.ts';
import type { WorkSignals } from './work.ts';

/** A record that the route takes. */
export interface PickedRecord {
  readonly record: ConsumedRecord;
  readonly state: DeliveryState;
  readonly value: RecordValue;
}

/** What becomes of it; undefined where there is nothing to wait for. */
export type Settle = (picked: PickedRecord, signals: WorkSignals) => Promise<void> | undefined;
