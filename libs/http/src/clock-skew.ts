import type { Headers } from './headers.ts';
import { writtenMs } from './retry-after.ts';

/** When an answer was asked for and when it began to come, by our own clock, in milliseconds since the epoch. */
export interface TimedAnswer {
  readonly host: string;
  readonly headers: Headers;
  readonly sentMs: number;
  readonly receivedMs: number;
}

/**
 * How far the other side's clock is ahead of ours by the answer's `Date`, in milliseconds; negative where it is behind.
 * Only what the time that the answer took and the header's whole seconds cannot explain. A stored answer's `Age` is
 * added (RFC 9111, 5.1). Undefined where there is no date that can be read.
 */
export function clockSkewMs({ headers, sentMs, receivedMs }: TimedAnswer): number | undefined {
  const theirsMs = writtenMs(headers);
  if (theirsMs === undefined) return undefined;
  if (theirsMs > receivedMs) return theirsMs - receivedMs;
  return Math.min(0, theirsMs + 1000 - sentMs);
}
