import type { DeliveryOutcome } from '@genesys-kafka/delivery';

export interface HttpAnswer {
  readonly status: number;
  /** 409 only: the answer names the idempotency key that was sent. */
  readonly namesOurKey: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly kind: AnswerKind;
  /** The target has taken a record with an answer of JSON before. */
  readonly usuallyJson: boolean;
}

/** By its content type. A target for records writes no pages: HTML comes from an ingress, a proxy or a login before it. */
export type AnswerKind = 'json' | 'html' | 'other';

/** 4xx that pass: request timeout, too early, too many requests. */
const TRANSIENT = new Set([408, 425, 429]);
/** No such path, method or host, or a proxy's login: about the way to the target, which a wrong deployment breaks. */
const ASTRAY = new Set([404, 405, 407, 421]);
/** Whoever says it, it is about the record: malformed, too large, not acceptable. */
const ABOUT_THE_RECORD = new Set([400, 413, 422]);

/** What an answer means for the record. */
export function outcomeOf(answer: HttpAnswer): DeliveryOutcome {
  const { status } = answer;
  const isHtml = answer.kind === 'html';
  const taken = (status >= 200 && status < 300) || (status === 409 && answer.namesOurKey);
  if (taken && !(isHtml && answer.usuallyJson)) return { kind: 'delivered' };
  const page = isHtml ? ' with a page of HTML' : '';
  const failure = { cause: `http-${status}`, reason: `the target answered ${status}${page}`, httpStatus: status };
  if (taken) return { kind: 'retry', failure: { ...failure, cause: 'html-answer' } };
  if (isTransient(status, isHtml))
    return {
      kind: 'retry',
      failure,
      ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
    };
  if (status === 401 || status === 403)
    return { kind: 'misconfigured', failure: { ...failure, reason: `the target refuses our credentials (${status})` } };
  if (status >= 400)
    return { kind: 'rejected', failure: { ...failure, reason: `the target refuses the record (${status})` } };
  return {
    kind: 'misconfigured',
    failure: { ...failure, reason: `the target answered ${status}; redirects are not followed, correct the url` },
  };
}

export function kindOfAnswer(contentType: string | undefined): AnswerKind {
  const type = contentType?.split(';', 1)[0]!.trim().toLowerCase() ?? '';
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  return type === 'application/json' || type.endsWith('+json') ? 'json' : 'other';
}

/** What may be otherwise at the next try: what passes, and what something before the target said. */
function isTransient(status: number, isHtml: boolean): boolean {
  if (TRANSIENT.has(status) || ASTRAY.has(status) || status >= 500) return true;
  return isHtml && status >= 400 && status !== 401 && status !== 403 && !ABOUT_THE_RECORD.has(status);
}

/**
 * Whether a text names exactly this key. `job:1` must not be found in `job:12` or `other-job:1`, so the key may not
 * go on at either side; a sentence's full stop after it is fine.
 */
export function namesKey(text: string, key: string): boolean {
  for (let at = text.indexOf(key); at !== -1; at = text.indexOf(key, at + 1)) {
    const before = text[at - 1] ?? '';
    const after = text[at + key.length] ?? '';
    if (!/[A-Za-z0-9._~:%-]/.test(before) && !/[A-Za-z0-9]/.test(after)) return true;
  }
  return false;
}
