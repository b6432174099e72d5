import { headerOf, retryAfterOf, type Headers } from '@genesys-kafka/http';
import { ArchiveError } from '../errors.ts';
import { encodingOf, type Encoding } from './encoding.ts';
import { compareValidators, conditionOf, validatorsOf, type Validators } from './validators.ts';

/** What is known of the remote object and of our copy. */
export interface Progress {
  /** Bytes on disk. */
  received: number;
  /** The object's length, once a response named it. */
  total: number | undefined;
  /** What makes resuming safe. */
  validators: Validators;
  encoding: Encoding;
  /** Whether the last body's end was told by a length or a last chunk, not by a connection that closed. */
  endProven: boolean;
}

export const NOTHING: Readonly<Progress> = {
  received: 0,
  total: undefined,
  validators: { etag: undefined, lastModified: undefined },
  encoding: 'identity',
  endProven: false,
};

/** Why a download begins anew: `changed` only where a validator says so. */
export type RestartCause = 'changed' | 'range' | 'not-resumable';

export type Verdict =
  /** The body begins at `at`. With `restart` it replaces what was received; otherwise it goes on from it, or overlaps. */
  | {
      readonly kind: 'body';
      readonly at: number;
      /** Where this body ends; undefined where nothing says so beforehand. */
      readonly end: number | undefined;
      readonly total: number | undefined;
      readonly restart?: RestartCause;
    }
  | { readonly kind: 'complete' }
  | { readonly kind: 'redirect'; readonly location: string }
  /** The link may have expired: ask for a new one. */
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'retry'; readonly status: number; readonly retryAfterMs: number | undefined }
  /** What we have cannot be continued: drop it and begin anew. */
  | { readonly kind: 'restart'; readonly because: RestartCause };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The beginning of a refusal's body, which may say that the link has expired. */
  readonly text?: string;
  /** The request was to fail where the file has changed. */
  readonly ifMatch?: boolean | undefined;
}

/**
 * Decides what a response means for a download that holds `progress.received` bytes. Pure. A body is taken only where
 * position, length and validator prove that it belongs to what is on disk; whatever is unproven begins anew.
 * Rules: RFC 9110 sections 13.1.5 (If-Range), 14.4 (Content-Range), 15.5.17 (416).
 */
export function interpret(answer: Answer, progress: Progress, nowMs: number, shown: string): Verdict {
  const { status, headers } = answer;
  // No link expires so where the file is asked for on the condition that it is still the same.
  if (status === 412 && answer.ifMatch === true && rangeCondition(progress) !== undefined) {
    return { kind: 'restart', because: 'changed' };
  }
  if (status === 200) return wholeBody(headers, progress);
  if (status === 206) return partialBody(headers, progress, shown);
  if (status === 416) return rangeRefused(headers, progress);
  if ([301, 302, 303, 307, 308].includes(status)) {
    const location = headerOf(headers, 'location');
    if (location !== undefined) return { kind: 'redirect', location };
  }
  if (isRefused(answer)) return { kind: 'refused', status };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: 'retry', status, retryAfterMs: retryAfterOf(headers, nowMs) };
  }
  throw new ArchiveError('download-refused', `${shown} answered ${status}.`, { details: { status } });
}

/** The condition of the range that is asked for; undefined where the file is asked for from its beginning. */
export function rangeCondition({ received, validators }: Progress): string | undefined {
  return received > 0 ? conditionOf(validators) : undefined;
}

/** Signed links end in many ways: S3 names an expired token with 400, others say 412 or 498. */
function isRefused({ status, text = '' }: Answer): boolean {
  if ([401, 403, 404, 410, 412, 498].includes(status)) return true;
  return status === 400 && /expired|AccessDenied|InvalidToken|TokenRefreshRequired|AuthenticationFailed/i.test(text);
}

/** An answer to a range request is the whole file only if it is as long as the file. */
function wholeBody(headers: Headers, progress: Progress): Verdict {
  const range = contentRange(headers);
  if (range && !isWhole(range)) return { kind: 'restart', because: 'range' };
  const total = lengthOf(headers) ?? range?.total;
  const verdict = compareValidators(progress.validators, validatorsOf(headers));
  if (rangeCondition(progress) !== undefined && (total === undefined || total !== progress.total)) {
    return { kind: 'restart', because: verdict === 'changed' ? 'changed' : 'range' };
  }
  return { kind: 'body', at: 0, end: total, total, restart: verdict === 'changed' ? 'changed' : 'not-resumable' };
}

/** A part is taken where it begins at, or before, what is missing and proves that it is of the same file. */
function partialBody(headers: Headers, progress: Progress, shown: string): Verdict {
  const range = contentRange(headers);
  // multipart/byteranges has no Content-Range of its own.
  if (!range) return { kind: 'restart', because: 'range' };
  const { first, last } = range;
  const bytes = lengthOf(headers);
  const total = range.total ?? knownTotal(headers, progress);
  const fits =
    first <= progress.received &&
    last >= Math.max(first, progress.received) &&
    total !== undefined &&
    last < total &&
    (bytes === undefined || bytes === last - first + 1);
  if (progress.received > 0) {
    const verdict = compareValidators(progress.validators, validatorsOf(headers));
    if (verdict === 'changed') return { kind: 'restart', because: 'changed' };
    if (verdict === 'unproven') return { kind: 'restart', because: 'not-resumable' };
    const agrees = progress.total === undefined || total === progress.total;
    if (!agrees || encodingOf(headers, shown) !== progress.encoding) return { kind: 'restart', because: 'range' };
  }
  if (!fits) return { kind: 'restart', because: 'range' };
  return { kind: 'body', at: first, end: last + 1, total };
}

/** A total of `*` proves nothing; what was known before holds where a strong ETag says that the bytes are the same. */
function knownTotal(headers: Headers, { total, validators }: Progress): number | undefined {
  return validators.etag !== undefined && conditionOf(validators) === validatorsOf(headers).etag ? total : undefined;
}

/** Nothing lies behind what was received: the end, where the answer proves that it speaks of the same file. */
function rangeRefused(headers: Headers, progress: Progress): Verdict {
  const total = /^bytes \*\/(\d+)$/.exec(headerOf(headers, 'content-range')?.trim() ?? '')?.[1];
  const verdict = compareValidators(progress.validators, validatorsOf(headers));
  if (verdict === 'changed') return { kind: 'restart', because: 'changed' };
  const isEnd = progress.received > 0 && total !== undefined && Number(total) === progress.received;
  if (isEnd && (verdict === 'same' || progress.total === progress.received)) return { kind: 'complete' };
  return { kind: 'restart', because: isEnd ? 'not-resumable' : 'range' };
}

interface ContentRange {
  readonly first: number;
  readonly last: number;
  /** Undefined for `*`. */
  readonly total: number | undefined;
}

const UNREADABLE: ContentRange = { first: -1, last: -1, total: undefined };

/** Undefined where there is none; one that cannot be read fits nothing. */
function contentRange(headers: Headers): ContentRange | undefined {
  const value = headerOf(headers, 'content-range');
  if (value === undefined) return undefined;
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(value.trim());
  if (!range) return UNREADABLE;
  return { first: Number(range[1]), last: Number(range[2]), total: range[3] === '*' ? undefined : Number(range[3]) };
}

const isWhole = ({ first, last, total }: ContentRange) => first === 0 && total !== undefined && last === total - 1;

function lengthOf(headers: Headers): number | undefined {
  const value = headerOf(headers, 'content-length');
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** Whether the end of a body can be told from a connection that broke: by its length, or by a last chunk. */
export function provesItsEnd(headers: Headers): boolean {
  if (lengthOf(headers) !== undefined) return true;
  return /(^|,)\s*chunked\s*$/i.test(headerOf(headers, 'transfer-encoding') ?? '');
}
