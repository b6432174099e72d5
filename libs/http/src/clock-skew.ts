import { headerOf, type Headers } from './headers.ts';
import { httpDateMs } from './retry-after.ts';

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
  const age = headerOf(headers, 'age') ?? '0';
  const writtenMs =
    httpDateMs(headerOf(headers, 'date') ?? '') + (/^\d{1,9}$/.test(age) ? Number(age) * 1000 : Number.NaN);
  if (Number.isNaN(writtenMs)) return undefined;
  if (writtenMs > receivedMs) return writtenMs - receivedMs;
  return Math.min(0, writtenMs + 1000 - sentMs);
}
