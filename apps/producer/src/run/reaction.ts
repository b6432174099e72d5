import type { OperationalError } from '@genesys-kafka/resilience';

/** What is done about a window whose reading failed: its job read on, another job asked for, or its halves read. */
export type Reaction = 'same-job' | 'new-job' | 'split';

/** It was too much for one job, in our own words. */
const TOO_LARGE = new Set(['too-many-records', 'truncated-by-size', 'job-still-running', 'answer-too-large']);
/** Where Genesys may say so in its words: of what a job brings, or of how long its interval is … */
const REFUSALS = new Set(['job-failed', 'submit-refused', 'cursor-refused', 'job-gone', 'source-gone', 'bad-request']);
/** … as in "Pagination may not exceed 400000 results" (docs/genesys-cloud.md, "Details jobs"), not of filters or of jobs. */
const CEILING = new RegExp(
  [
    String.raw`\b(?:pagination|results?|records?|rows|conversations|interval|range)\b[^.]{0,80}\bexceed`,
    String.raw`\bexceed\w*\b[^.]{0,80}\b(?:pagination|results?|records?|rows|conversations|days|hours)\b`,
    String.raw`too (?:many|much) (?:results?|records?|rows|conversations|data)\b`,
    String.raw`\b(?:interval|range)\b[^.]{0,40}\btoo (?:long|large|big)\b`,
  ].join('|'),
  'i',
);
/** It may also have been slow for reasons of its own: split where it happens again. */
const SLOW = /\btimed? ?out\b/i;
/** A conflict with other jobs. */
const CONFLICT = 409;
/** No new job would bring anything else before somebody acts. */
const KEEPS_JOB = new Set(['too-many-invalid']);

/** `failures`: how often in a row the window has failed before. */
export function reactionTo({ code, message, retry, details }: OperationalError, failures: number): Reaction {
  const isRefused = REFUSALS.has(code) && details.status !== CONFLICT;
  const isTooMuch = CEILING.test(message) || (SLOW.test(message) && failures > 0);
  if (TOO_LARGE.has(code) || (isRefused && isTooMuch)) return 'split';
  return KEEPS_JOB.has(code) || retry ? 'same-job' : 'new-job';
}
