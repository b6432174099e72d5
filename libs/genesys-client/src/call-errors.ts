import type { ErrorFacts } from '@genesys-kafka/resilience';
import { GENESYS_ERRORS, GenesysError } from './errors.ts';

/** What every error of a call carries: the operation, the host and, where there was an answer, how to find it again. */
export interface CallFacts {
  readonly [fact: string]: string | number | boolean;
  readonly operation: string;
  readonly host: string;
}

/** The error of one call. It ends with the id by which Genesys' support finds the call. */
export function callError(
  code: GenesysError['code'],
  facts: CallFacts,
  what: string,
  { remedy = GENESYS_ERRORS[code].remedy, ...more }: Omit<ErrorFacts, 'details'> = {},
): GenesysError {
  const reference = facts.correlationId === undefined ? '' : ` [ININ-Correlation-Id ${facts.correlationId}]`;
  return new GenesysError(code, what, { ...more, details: facts, remedy: remedy + reference });
}

/** `what` is wrong with the answer: a part of a sentence, without anything that the answer says. */
export function badAnswer(facts: CallFacts, what: string): GenesysError {
  return callError('bad-answer', facts, `${facts.host} gave an unusable answer to ${facts.operation}: ${what}.`);
}

export function answerTooLarge(facts: CallFacts, maxBytes: number): GenesysError {
  const what = `The answer of ${facts.host} to ${facts.operation} is larger than ${maxBytes} bytes.`;
  return callError('answer-too-large', { ...facts, maxBytes }, what);
}

export function tooSlow(facts: CallFacts, what: string, cause?: unknown): GenesysError {
  return callError('timeout', facts, `${facts.host} was too slow during ${facts.operation}: ${what}.`, { cause });
}

/** `reason` is Genesys' message code and template, never its filled-in text. */
export function badRequest(facts: CallFacts, status: number, reason: string): GenesysError {
  return callError('bad-request', facts, `${facts.host} refused ${facts.operation} (${status}, ${reason}).`);
}

/** A 4xx to a submit: what is wrong is this query, of this window. */
export function submitRefused(facts: CallFacts, status: number, reason: string): GenesysError {
  const what = `${facts.host} refused ${facts.operation} (${status}, ${reason}).`;
  const remedy = 'Other jobs stand in its way, and it was asked for several times: run the same command again later.';
  return callError('submit-refused', facts, what, status === 409 ? { remedy } : {});
}

export function notReady(facts: CallFacts, jobId: string): GenesysError {
  const what = `${facts.host} answers to ${facts.operation}, again and again, that there is nothing yet of job ${jobId}.`;
  return callError('not-ready', { ...facts, jobId }, what);
}

export function jobGone(facts: CallFacts, jobId: string, reason: string): GenesysError {
  return callError('job-gone', { ...facts, jobId }, `Genesys no longer has job ${jobId} (${reason}).`);
}
