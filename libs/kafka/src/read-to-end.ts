import { systemClock, type Clock } from '@genesys-kafka/resilience';
import type { KafkaClient, PartitionSlice, TopicPartition } from './port.ts';

export interface ReadToEndOptions {
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Default the log's start. */
  readonly from?: bigint;
}

/**
 * Brokers abort a dead writer's transaction 30 to 40 s after its last sign of life; a live one ends sooner. Whoever
 * has waited longer has seen all that can be seen.
 */
export const OPEN_TRANSACTION_MS = 60_000;

/**
 * A partition from its start, or from an offset, to where the log ends when the reading begins. A commit is answered before its markers
 * are written, and others' transactions may be open: what lies behind them is waited for, up to `OPEN_TRANSACTION_MS`.
 * The last slice's `nextOffset` is below its `highWatermark` only where that was in vain.
 */
export async function* readToEnd(
  client: Pick<KafkaClient, 'read'>,
  target: TopicPartition,
  options: ReadToEndOptions = {},
): AsyncGenerator<PartitionSlice> {
  const { signal, clock = systemClock, from = 'start' } = options;
  const startMs = clock.monotonicMs();
  let end: bigint | undefined;
  for await (const slice of client.read(target, { from, ...(signal ? { signal } : {}) })) {
    end ??= slice.highWatermark;
    yield slice;
    if (slice.nextOffset >= end) return;
    const isWaitedOut = clock.monotonicMs() - startMs > OPEN_TRANSACTION_MS;
    if (isWaitedOut && slice.nextOffset >= slice.lastStableOffset) return;
  }
}
