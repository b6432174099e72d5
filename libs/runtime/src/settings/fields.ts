import { z } from 'zod';
import {
  parseBytes,
  parseDurationMs,
  parseInstantMs,
  parseRatio,
  PERCENTAGE_PATTERN,
  SIZE_PATTERN,
} from './quantities.ts';

declare module 'zod' {
  interface GlobalMeta {
    /** The environment variable that sets it; with `secret`, also `<env>_FILE`. */
    env?: string;
    /** Never shown, and hidden wherever it turns up in a log. */
    secret?: boolean;
    /** What the reference calls its type, where zod's own word would not help. */
    kind?: string;
    /** An http(s) URL that requests go to. */
    url?: boolean;
    /** `${NAME}` in the texts below it is replaced by that environment variable. */
    variables?: boolean;
  }
}

/** A time span as text with a unit; milliseconds once parsed. */
export function duration(minMs = 1, maxMs = Number.MAX_SAFE_INTEGER) {
  return quantity(
    'duration',
    parseDurationMs,
    'is not a duration; write a number and a unit, such as 500ms, 5s, 10m or 1d',
  )
    .refine((ms) => ms >= minMs, { error: `is too short; the least is ${minMs}ms` })
    .refine((ms) => ms <= maxMs, { error: `is too long; the most is ${maxMs / 1000}s` })
    .meta({ kind: 'duration' });
}

/** A moment as text, a day's midnight in UTC or an instant with its zone; milliseconds since the epoch once parsed. */
export function instant() {
  const fault = 'is not a moment; write a day such as 2026-01-31, or 2026-01-31T08:00:00Z';
  return quantity('instant', parseInstantMs, fault).meta({ kind: 'instant' });
}

/** An amount of data as text with a unit, or a plain number of bytes; bytes once parsed. */
export function size() {
  const text = quantity('size', parseBytes, 'is not a size; write a number and a unit, such as 64KiB or 16MiB');
  return z
    .union([z.int().positive(), text])
    .refine((bytes) => bytes > 0, { error: 'is too small; the least is 1B' })
    .meta({ kind: 'size' });
}

/** `5%`; a ratio from 0 to 1 once parsed. */
export function percentage() {
  return quantity(
    'percentage',
    parseRatio,
    'is not a percentage; write a number from 0 to 100 and the sign, such as 5%',
  ).meta({
    kind: 'percentage',
  });
}

/** A whole number. */
export function count(min: number, max: number) {
  return z
    .int()
    .min(min)
    .max(max)
    .meta({ kind: `${min}–${max}` });
}

export function text(maxLength = 4096) {
  return z.string().min(1).max(maxLength).meta({ kind: 'text' });
}

/** Text that is never shown; parsed as it is, without trimming. */
export function secret() {
  return z.string().min(1).max(16_384).meta({ kind: 'text', secret: true });
}

/** A name that becomes part of topics, groups or transactional ids: Kafka's own alphabet. */
export function identifier(maxLength: number) {
  return z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/, {
      error: 'has other characters than letters, digits, dot, dash and underscore; leave them out',
    })
    .max(maxLength)
    .meta({ kind: 'name' });
}

/** `host:port`, an IPv6 host in brackets. */
export function hostAndPort() {
  return z
    .string()
    .regex(/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/, {
      abort: true,
      error: 'is not host:port; write both, such as broker-1:9092',
    })
    .refine((value) => Number(value.slice(value.lastIndexOf(':') + 1)) <= 65_535, { error: 'has a port past 65535' })
    .meta({ kind: 'host:port' });
}

/** An http(s) URL without credentials; as an origin (no path, no query), or with its trailing slashes dropped. */
export function httpUrl(shape: 'origin' | 'base' | 'any') {
  return z
    .string()
    .transform((value, context): string => {
      const url = URL.canParse(value) ? new URL(value) : undefined;
      const wrong = url ? urlFault(url, shape) : 'is not a URL; write it with its scheme, such as https://host.example';
      if (url && wrong === undefined)
        return shape === 'origin' ? url.origin : shape === 'base' ? value.replace(/\/+$/, '') : value;
      context.addIssue({ code: 'custom', message: wrong ?? '' });
      return z.NEVER;
    })
    .meta({ kind: shape === 'origin' ? 'URL (origin)' : 'URL', url: true });
}

function urlFault(url: URL, shape: 'origin' | 'base' | 'any'): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'is not an http(s) URL; write https://…';
  if (url.username !== '' || url.password !== '') return 'holds a user or password; give these by their own settings';
  if (url.hash !== '') return 'has a #fragment; leave it out';
  if (shape !== 'any' && url.search !== '') return 'has a query string; leave it out';
  if (shape === 'origin' && url.pathname !== '/')
    return 'has a path; write scheme, host and port only, paths are appended';
  return undefined;
}

function quantity(name: string, parse: (value: string) => number | undefined, fault: string) {
  const pattern = name === 'size' ? SIZE_PATTERN : name === 'percentage' ? PERCENTAGE_PATTERN : undefined;
  return z
    .string({ error: fault })
    .meta(pattern ? { pattern: pattern.source } : {})
    .transform((value, context): number => {
      const parsed = parse(value);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: fault });
      return z.NEVER;
    });
}

type InMs<T, K extends string> = Omit<T, K> & { readonly [N in K as `${N}Ms`]: number };

/** For `.transform`: a parsed section's spans carry their unit in their names, `timeout` becomes `timeoutMs`. */
export function inMs<const K extends string>(...keys: readonly K[]) {
  return <T extends Record<K, number>>(section: T): InMs<T, K> => {
    const entries = Object.entries(section).map(([key, value]) => [keys.includes(key as K) ? `${key}Ms` : key, value]);
    return Object.fromEntries(entries) as InMs<T, K>;
  };
}
