import { readFileSync } from 'node:fs';
import { parseDurationMs, parseInstantMs, RuntimeError } from '@genesys-kafka/runtime/cli';
import type { Query } from '../genesys/job-contract.ts';

export function argumentError(option: string, problem: string): RuntimeError {
  return new RuntimeError('bad-argument', `${option} ${problem}`);
}

/** `2026-01-31` (its midnight in UTC) or an ISO 8601 instant that names its zone. */
export function instantArgument(option: string, text: string): Date {
  const ms = parseInstantMs(text);
  if (ms !== undefined) return new Date(ms);
  throw argumentError(option, `is ${JSON.stringify(text)}; write 2026-01-31 or 2026-01-31T08:00:00Z.`);
}

export function countArgument(option: string, text: string): number {
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text);
  throw argumentError(option, `is ${JSON.stringify(text)}; write a whole number of at least 1.`);
}

const LEAST_WINDOW_MS = 60_000;

export function durationArgument(option: string, text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms >= LEAST_WINDOW_MS) return ms;
  throw argumentError(option, `is ${JSON.stringify(text)}; write a time of at least a minute, such as 1h or 1d.`);
}

/** Members that the program fills in itself, by window. */
const RESERVED = ['interval', 'dateFrom', 'dateTo', 'paging'];

/** The contract's submit body without its interval. */
export function queryArgument(option: string, file: string): Query {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw argumentError(
      option,
      `names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}).`,
    );
  }
  let query: unknown;
  try {
    query = JSON.parse(text);
  } catch {
    throw argumentError(option, `names ${file}, which is not JSON.`);
  }
  if (typeof query !== 'object' || query === null || Array.isArray(query)) {
    throw argumentError(option, `names ${file}, which is not a JSON object.`);
  }
  return checkedQuery(option, query as Query);
}

export function checkedQuery(option: string, query: Query): Query {
  const reserved = RESERVED.filter((name) => name in query);
  if (reserved.length > 0) {
    throw argumentError(option, `holds ${reserved.join(', ')}; leave out what --from, --to and the paging fill in.`);
  }
  // What an archive is cut off at: a size that is misread would make a lossy archive look whole.
  if (query.size !== undefined && !(Number.isSafeInteger(query.size) && (query.size as number) > 0)) {
    throw argumentError(option, 'holds a size that is no whole number of at least 1; write it without quotes.');
  }
  return query;
}
