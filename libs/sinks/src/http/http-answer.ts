import type { DeliveryOutcome } from '@genesys-kafka/delivery';

export interface HttpAnswer {
  readonly status: number;
  /** 409 only: the answer names the idempotency key that was sent. */
  readonly namesOurKey: boolean;
  readonly retryAfterMs?: number | undefined;
}

/** 4xx that pass: request timeout, too early, too many requests. */
const TRANSIENT = new Set([408, 425, 429]);

/** What an answer means for the record. */
export function outcomeOf(answer: HttpAnswer): DeliveryOutcome {
  const { status } = answer;
  if ((status >= 200 && status < 300) || (status === 409 && answer.namesOurKey)) return { kind: 'delivered' };
  const failure = { cause: `http-${status}`, reason: `the target answered ${status}`, httpStatus: status };
  if (TRANSIENT.has(status) || status >= 500)
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
