import { TopicsError } from '../errors.ts';
import { decodeToken, type HeaderMap } from './header-text.ts';

/** Reads typed values from headers that may come from anywhere; a present but malformed value is `header-invalid`. */
export class HeaderReader {
  readonly #headers: HeaderMap;

  constructor(headers: HeaderMap) {
    this.#headers = headers;
  }

  text(name: string): string | undefined {
    const value = Object.hasOwn(this.#headers, name) ? this.#headers[name] : undefined;
    return value?.toString('utf8');
  }

  token(name: string): string | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const decoded = decodeToken(text);
    if (decoded === undefined) throw headerInvalid(name, 'is not a percent-encoded name');
    return decoded;
  }

  /** A whole number from 0 that JavaScript holds exactly. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw headerInvalid(name, 'is not a whole number');
    return value;
  }

  /** A Kafka offset: 64 bits. */
  offset(name: string): bigint | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^\d{1,19}$/.test(text)) throw headerInvalid(name, 'is not an offset');
    return BigInt(text);
  }

  /** An ISO 8601 moment in UTC, as milliseconds since the epoch. */
  moment(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(ms)) throw headerInvalid(name, 'is not a moment such as 2026-01-31T12:00:00.000Z');
    return ms;
  }
}

/** The value, or `header-invalid` where there is none. */
export function need<T>(name: string, value: T | undefined): T {
  if (value === undefined) throw headerInvalid(name, 'is missing');
  return value;
}

/** A header that this program did not write, or that was damaged on the way. */
export function headerInvalid(header: string, problem: string): TopicsError {
  return new TopicsError('header-invalid', `Header "${header}" ${problem}.`, { details: { header } });
}
