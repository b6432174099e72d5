const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES_PER_UNIT = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

/** Whole numbers with a unit, the largest unit first where there are several: `5s`, `90m`, `1h30m`. */
const DURATION_PATTERN = /^(?=\d)(?:\d{1,9}d)?(?:\d{1,9}h)?(?:\d{1,9}m(?!s))?(?:\d{1,9}s)?(?:\d{1,12}ms)?$/;
export const SIZE_PATTERN = /^\d{1,12}(?:\.\d{1,3})?(?:B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;
export const PERCENTAGE_PATTERN = /^\d{1,3}(?:\.\d{1,6})?%$/;

/** `1h30m` in milliseconds; undefined for anything that is not a duration with units. */
export function parseDurationMs(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|d|h|m|s)/g)) {
    totalMs += Number(amount) * MS_PER_UNIT[unit as keyof typeof MS_PER_UNIT];
  }
  return totalMs;
}

/** `16MiB` (powers of two) or `16MB` (powers of ten) in bytes, rounded down; undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  if (!SIZE_PATTERN.test(text)) return undefined;
  const [, amount, unit] = /^([\d.]+)(.+)$/.exec(text)!;
  const bytes = Math.floor(Number(amount) * BYTES_PER_UNIT[unit as keyof typeof BYTES_PER_UNIT]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `5%` as 0.05; undefined for anything that is not a percentage between 0% and 100%. */
export function parseRatio(text: string): number | undefined {
  if (!PERCENTAGE_PATTERN.test(text)) return undefined;
  const percent = Number(text.slice(0, -1));
  return percent <= 100 ? percent / 100 : undefined;
}

/**
 * A day (`2026-01-31`, its midnight in UTC) or an ISO 8601 instant that names its zone (`2026-01-31T08:00:00Z`), in
 * milliseconds since the epoch. Undefined for anything else: a time without a zone means a different moment on every
 * machine, and a day that the calendar does not have would silently become another.
 */
export function parseInstantMs(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day] = match;
  if (new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() !== Number(day)) return undefined;
  const instantMs = Date.parse(text);
  return Number.isNaN(instantMs) ? undefined : instantMs;
}
