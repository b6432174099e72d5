import { ApiError } from './error-body.ts';

export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;

/** An ISO-8601 instant with its zone, in ms since the epoch; undefined where the text is not one. */
export function instantMs(text: unknown): number | undefined {
  if (typeof text !== 'string' || !INSTANT.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * `start/end`, both ISO-8601 instants.
 * @throws ApiError 400 as the platform answers a bad interval.
 */
export function parseInterval(text: unknown): Interval {
  const parts = typeof text === 'string' ? text.split('/') : [];
  return orderedInterval(parts.length === 2 ? parts[0] : undefined, parts[1], String(text));
}

/** @throws ApiError 400 unless both are instants and the first is before the second. */
export function orderedInterval(from: unknown, to: unknown, shown: string): Interval {
  const fromMs = instantMs(from);
  const toMs = instantMs(to);
  if (fromMs === undefined || toMs === undefined) {
    throw new ApiError(
      400,
      'bad.request',
      `The interval [${shown}] could not be parsed. Intervals are represented as an ISO-8601 string: YYYY-MM-DDThh:mm:ss.sssZ/YYYY-MM-DDThh:mm:ss.sssZ`,
    );
  }
  if (fromMs >= toMs) throw new ApiError(400, 'bad.request', `The interval [${shown}] ends before it starts.`);
  return { fromMs, toMs };
}
