import { createHash } from 'node:crypto';
import { encodeToken, type DeadLetter } from '@genesys-kafka/topics';

/** In the place of the route of dead letters that never came to one. */
export const NO_ROUTE = 'producer';
const SUFFIX = '.ndjson.gz';
const MAX_PART_CHARS = 200;
const NAME_CHARS = 40;

/** What the name of an object says of all its lines. */
export interface LetterFolder {
  /** A day in UTC, `2026-01-31`. */
  readonly day: string;
  readonly route: string;
  readonly cause: string;
}

/** Where the objects of a dead letter's day, route and cause lie, below the prefix: `2026/01/31/crm/http-422/`. */
export function folderOf({ timestampMs, route, cause }: Pick<DeadLetter, 'timestampMs' | 'route' | 'cause'>): string {
  const day = new Date(timestampMs).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${day}/${pathPart(route ?? NO_ROUTE)}/${pathPart(cause)}/`;
}

/**
 * A name as one part of a path: percent-encoded, never `.` or `..`, and bounded. A long one is cut: what a line says
 * counts, and its folder merely spares the reading of others.
 */
export function pathPart(name: string): string {
  const token = encodeToken(name).slice(0, MAX_PART_CHARS);
  return /^\.*$/.test(token) ? `%${token}` : token;
}

/**
 * The name of an object by what its lines are: which dead letters, and of what bytes. When they were given up is left
 * out, so that a repeat has the same name, and takes the place of what it repeats.
 */
export function objectName(lines: readonly { readonly id: string; readonly value: Buffer | null }[]): string {
  const sum = createHash('sha256');
  for (const { id, value } of lines) {
    sum.update(`${id}\n${value === null ? '-' : value.length}\n`);
    if (value !== null) sum.update(value);
  }
  return `${sum.digest('hex').slice(0, NAME_CHARS)}${SUFFIX}`;
}

/** Undefined for an object that holds no dead letters. `key`: without the prefix. */
export function parseObjectPath(key: string): LetterFolder | undefined {
  const found = /^(\d{4})\/(\d\d)\/(\d\d)\/([^/]+)\/([^/]+)\/[^/]+\.ndjson\.gz$/.exec(key);
  if (!found) return undefined;
  const [, year, month, day, route, cause] = found as unknown as readonly string[];
  return { day: `${year!}-${month!}-${day!}`, route: route!, cause: cause! };
}
