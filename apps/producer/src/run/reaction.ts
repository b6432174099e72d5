import type { OperationalError } from '@genesys-kafka/resilience';

/** What is done about a window whose reading failed: its job read on, another job asked for, or its halves read. */
export type Reaction = 'same-job' | 'new-job' | 'split';

/** It was too much for one job, in our own words. */
const TOO_LARGE = new Set(['too-many-records', 'truncated-by-size', 'job-still-running', 'answer-too-large']);
/** Where Genesys may say so in its words … */
const REFUSALS = new Set(['job-failed', 'submit-refused', 'cursor-refused', 'job-gone', 'source-gone', 'bad-request']);
/** … as in "Pagination may not exceed 400000 results" or "timed out" (docs/genesys-cloud.md, "Details jobs"). */
const WORDS = /\bexceed|too (?:many|much|large|long|big)|\btimed? ?out\b|\bmaximum\b/i;
/** No new job would bring anything else before somebody acts. */
const KEEPS_JOB = new Set(['too-many-invalid']);

export function reactionTo({ code, message, retry }: OperationalError): Reaction {
  if (TOO_LARGE.has(code) || (REFUSALS.has(code) && WORDS.test(message))) return 'split';
  return KEEPS_JOB.has(code) || retry ? 'same-job' : 'new-job';
}
