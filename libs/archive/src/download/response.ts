import { headerOf, retryAfterOf, type Headers } from '@genesys-kafka/http';
import { ArchiveError } from '../errors.ts';

/** What is known of the remote object and of our copy. */
export interface Progress {
  /** Bytes on disk. */
  received: number;
  /** The object's length, once a response named it. */
  total: number | undefined;
  /** A strong ETag or a Last-Modified date: what makes resuming safe. */
  validator: string | undefined;
}

export type Verdict =
  /** Write the body at `at`; 0 begins anew. `total` is undefined for a body without a length. */
  | {
      readonly kind: 'body';
      readonly at: number;
      readonly total: number | undefined;
      readonly validator: string | undefined;
    }
  | { readonly kind: 'complete' }
  | { readonly kind: 'redirect'; readonly location: string }
  /** The link may have expired: ask for a new one. */
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'retry'; readonly status: number; readonly retryAfterMs: number | undefined }
  /** What we have cannot be continued: drop it and begin anew. */
  | { readonly kind: 'restart'; readonly because: 'changed' | 'range' };

/**
 * Decides what a response means for a download that holds `progress.received` bytes. Pure.
 * Rules: RFC 9110 sections 13.1.5 (If-Range), 14.4 (Content-Range), 15.5.17 (416).
 */
export function interpret(status: number, headers: Headers, progress: Progress, nowMs: number, shown: string): Verdict {
  if (status === 200) return wholeBody(headers);
  if (status === 206) return partialBody(headers, progress);
  if (status === 416) return rangeRefused(headers, progress);
  if ([301, 302, 303, 307, 308].includes(status)) {
    const location = headerOf(headers, 'location');
    if (location !== undefined) return { kind: 'redirect', location };
  }
  if ([401, 403, 404, 410].includes(status)) return { kind: 'refused', status };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: 'retry', status, retryAfterMs: retryAfterOf(headers, nowMs) };
  }
  throw new ArchiveError('download-refused', `${shown} answered ${status}.`, { details: { status } });
}

function wholeBody(headers: Headers): Verdict {
  return { kind: 'body', at: 0, total: length(headers), validator: validatorOf(headers) };
}

function partialBody(headers: Headers, progress: Progress): Verdict {
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headerOf(headers, 'content-range')?.trim() ?? '');
  // multipart/byteranges has no Content-Range of its own.
  if (!range || progress.received === 0) return { kind: 'restart', because: 'range' };
  const [first, last] = [Number(range[1]), Number(range[2])];
  const total = range[3] === '*' ? progress.total : Number(range[3]);
  if (progress.total !== undefined && total !== progress.total) return { kind: 'restart', because: 'changed' };
  const etag = strongEtag(headers);
  if (etag !== undefined && progress.validator?.startsWith('"') && etag !== progress.validator) {
    return { kind: 'restart', because: 'changed' };
  }
  const bytes = length(headers);
  const fits =
    first === progress.received &&
    (total === undefined || last === total - 1) &&
    (bytes === undefined || bytes === last - first + 1);
  if (!fits) return { kind: 'restart', because: 'range' };
  return { kind: 'body', at: first, total: total ?? last + 1, validator: progress.validator };
}

function rangeRefused(headers: Headers, progress: Progress): Verdict {
  const total = /^bytes \*\/(\d+)$/.exec(headerOf(headers, 'content-range')?.trim() ?? '')?.[1];
  const known = total === undefined ? progress.total : Number(total);
  const agrees = progress.total === undefined || known === progress.total;
  if (progress.received > 0 && known === progress.received && agrees) return { kind: 'complete' };
  return { kind: 'restart', because: agrees ? 'range' : 'changed' };
}

function length(headers: Headers): number | undefined {
  const value = headerOf(headers, 'content-length');
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** A weak ETag may stand for different bytes, so it cannot vouch for a splice. */
function strongEtag(headers: Headers): string | undefined {
  const etag = headerOf(headers, 'etag');
  return etag?.startsWith('"') ? etag : undefined;
}

function validatorOf(headers: Headers): string | undefined {
  return strongEtag(headers) ?? headerOf(headers, 'last-modified');
}

/** The body must be the file's own bytes; one gzip layer is taken as stored, and read as gzip later. */
export function checkEncoding(headers: Headers, shown: string): void {
  const encoding = headerOf(headers, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (['identity', '', 'gzip', 'x-gzip'].includes(encoding)) return;
  const named = encoding.replace(/[^a-z0-9, -]/g, '?').slice(0, 60);
  throw new ArchiveError('download-encoding', `${shown} sends the file with Content-Encoding ${named}.`);
}
