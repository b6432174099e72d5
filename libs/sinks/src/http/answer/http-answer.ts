import type { DeliveryFailure, DeliveryOutcome } from '@genesys-kafka/delivery';

export interface HttpAnswer {
  readonly status: number;
  /** 409 only: the answer names the idempotency key that was sent. */
  readonly namesOurKey: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly kind: AnswerKind;
  /** It is a whole page of HTML, where a target may say a word in HTML. */
  readonly isPage?: boolean;
  /** How the target has answered where it took records before: once in JSON, or never; undefined where it took none. */
  readonly usually: 'json' | 'other' | undefined;
}

/** By its content type. A target for records writes no pages: HTML comes from an ingress, a proxy or a login before it. */
export type AnswerKind = 'json' | 'html' | 'other';

/** 4xx that pass: request timeout, too early, too many requests. */
const TRANSIENT = new Set([408, 425, 429]);
/** No such path, method or host, or a proxy's login: about the way to the target, which a wrong deployment breaks. */
const ASTRAY = new Set([404, 405, 407, 421]);
/** Whoever says it, it is about the record: malformed, too large, not acceptable. */
const ABOUT_THE_RECORD = new Set([400, 413, 422]);

const NOT_LET_IN = 'the target refuses our credentials (401)';
const FORBIDDEN = 'the target refuses our credentials, or a firewall before it refuses this record (403)';

/**
 * What an answer means for the record. A page of HTML is not the word of a target for records, whatever its status: it is
 * a login's, an ingress's, or that of a site at which the url points by mistake.
 */
export function outcomeOf(answer: HttpAnswer): DeliveryOutcome {
  const { status } = answer;
  const isHtml = answer.kind === 'html';
  const taken = (status >= 200 && status < 300) || (status === 409 && answer.namesOurKey);
  const isAstray = isHtml && (answer.usually === 'json' || answer.isPage === true);
  if (taken && !isAstray) return { kind: 'delivered' };
  const page = isHtml ? ' with a page of HTML' : '';
  const failure = { cause: `http-${status}`, reason: `the target answered ${status}${page}`, httpStatus: status };
  if (taken) return ofPage({ ...failure, cause: 'html-answer' }, answer.usually !== undefined);
  if (isTransient(status, isHtml))
    return {
      kind: 'retry',
      failure,
      ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
    };
  if (status === 401) return { kind: 'misconfigured', failure: { ...failure, reason: NOT_LET_IN } };
  if (status === 403) return { kind: 'misconfigured', failure: { ...failure, reason: FORBIDDEN } };
  if (status >= 400)
    return { kind: 'rejected', failure: { ...failure, reason: `the target refuses the record (${status})` } };
  return {
    kind: 'misconfigured',
    failure: { ...failure, reason: `the target answered ${status}; redirects are not followed, correct the url` },
  };
}

function ofPage(failure: DeliveryFailure, hasTaken: boolean): DeliveryOutcome {
  if (hasTaken) return { kind: 'retry', failure };
  const reason = `${failure.reason}; correct the url, or set pages: taken of the sink where this is how it takes records`;
  return { kind: 'misconfigured', failure: { ...failure, reason } };
}

/** Whether a text is a whole page, by how it begins. */
export function isWholePage(text: string): boolean {
  return /^\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)\b/i.test(text);
}

export function kindOfAnswer(contentType: string | undefined): AnswerKind {
  const type = contentType?.split(/[;,]/, 1)[0]!.trim().toLowerCase() ?? '';
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
