import type { DeliverySignals } from '@genesys-kafka/delivery';
import type { ConsumedRecord } from '@genesys-kafka/kafka';

export interface WorkSignals extends DeliverySignals {
  /** Counts this record as waiting for its time while `wait` runs, which pauses the partition. */
  readonly whileWaiting: <T>(wait: () => Promise<T>) => Promise<T>;
}

/**
 * What settles one record of a group. Resolving means: acknowledged by the sink, or by the topic that it was moved to,
 * so the offset may pass it; undefined means that there was nothing to wait for. Rejecting leaves the offset below the
 * record.
 */
export type Work = (record: ConsumedRecord, signals: WorkSignals) => Promise<void> | undefined;
