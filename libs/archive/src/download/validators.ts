import { headerOf, type Headers } from '@genesys-kafka/http';

/** What a host says of an object's version, as it says it. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export function validatorsOf(headers: Headers): Validators {
  return { etag: headerOf(headers, 'etag'), lastModified: headerOf(headers, 'last-modified') };
}

/** What a continued download is made conditional on (RFC 9110, 13.1.5). Without one nothing can be continued. */
export function conditionOf(kept: Validators): string | undefined {
  return isStrong(kept.etag) ? kept.etag : kept.lastModified;
}

/**
 * Whether an answer is about the object that `kept` was said of. `unproven` where it does not say so, or says it
 * weakly; `changed` only where a validator really differs.
 */
export function compareValidators(kept: Validators, answer: Validators): 'same' | 'changed' | 'unproven' {
  if (isStrong(kept.etag) && answer.etag === kept.etag) return 'same';
  const differs = (one: string | undefined, other: string | undefined) =>
    one !== undefined && other !== undefined && one !== other;
  if (differs(opaque(kept.etag), opaque(answer.etag))) return 'changed';
  if (differs(kept.lastModified, answer.lastModified)) return 'changed';
  if (isStrong(kept.etag) || kept.lastModified === undefined) return 'unproven';
  return kept.lastModified === answer.lastModified ? 'same' : 'unproven';
}

/** A weak ETag may stand for different bytes, so it cannot vouch for a splice. */
function isStrong(etag: string | undefined): etag is string {
  return etag?.startsWith('"') ?? false;
}

const opaque = (etag: string | undefined) => etag?.replace(/^W\//i, '');
