import { retryAfterOf } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { answerFacts, plainText, readJson } from '../answers.ts';
import { badAnswer, jobGone, notReady, submitRefused, type CallFacts } from '../call-errors.ts';
import type { GenesysError } from '../errors.ts';
import type { Answer, AskAgain, Call } from '../exchange.ts';

/** What Genesys says of a job, both contracts alike. */
export type JobStatus =
  | {
      readonly state: 'pending';
      /** The wait that Genesys named with this answer. */
      readonly retryAfterMs?: number;
    }
  | {
      readonly state: 'done';
      /** `bulk-archive` only: the signed link to the archive. A secret: never logged. */
      readonly resultsUrl?: string;
    }
  | { readonly state: 'failed' | 'cancelled' | 'expired'; readonly message?: string };

/** Job ids are Genesys' words put into our paths: a plain word, or refused. */
const JOB_ID = /^(?!\.{1,2}$)[\w.~:-]{1,256}$/;

const SUBMIT_ANSWER = z.object({ jobId: z.unknown() });
/** What the common rules have the better words for: login, permission, address, rate, time. */
const NOT_THE_QUERY = new Set([401, 403, 404, 405, 408, 425, 429]);
/** Of a 409 on a submit, and of a job that was just made: about half a minute in all. */
const PATIENT_ATTEMPTS = 8;
/** One odd answer about a job that was seen before is no verdict; that it is gone should not take long to find out. */
const DOUBTING_ATTEMPTS = 3;

/** How a submit is asked, in both contracts: a conflict with other jobs passes, any other refusal is of the query. */
export const SUBMIT = {
  again: { attempts: PATIENT_ATTEMPTS, when: ({ status }: Answer) => status === 409 },
  refused: (status: number, reason: string, facts: CallFacts) =>
    status >= 400 && status < 500 && !NOT_THE_QUERY.has(status) ? submitRefused(facts, status, reason) : undefined,
};

/** The id in the answer to a submit, in both contracts. */
function submittedId(call: Call, answer: Answer): string {
  const { jobId } = readJson(call, answer, SUBMIT_ANSWER);
  if (typeof jobId === 'string' && JOB_ID.test(jobId)) return jobId;
  throw badAnswer(answerFacts(call, answer), `its jobId ${jobIdProblem(jobId)}`);
}

function jobIdProblem(jobId: unknown): string {
  if (typeof jobId !== 'string') return `is ${jobId === null ? 'null' : `of type ${typeof jobId}`}, not a text`;
  const odd = /[^\w.~:-]/u.exec(jobId)?.[0];
  if (odd === undefined) return 'is empty, a dot or two, or longer than 256 characters';
  const shown = /[!-~]/.test(odd) ? `"${odd}"` : `U+${odd.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  return `has the character ${shown}; letters, digits and . _ ~ : - can stand in an address`;
}

/**
 * Jobs that were submitted here and not seen since. Genesys may need a moment until all of its servers know a new job
 * or its results: a 404, 202 or 204 right after a submit is asked again before it is believed.
 */
export class NewJobs {
  readonly #unseen = { status: new Set<string>(), page: new Set<string>() };

  /** The job of the answer to a submit. */
  submitted(call: Call, answer: Answer): { jobId: string } {
    const jobId = submittedId(call, answer);
    this.#unseen.status.add(jobId);
    this.#unseen.page.add(jobId);
    return { jobId };
  }

  /** The answer is the word that was asked for; throws `not-ready` where there is nothing yet. */
  seen(kind: 'status' | 'page', jobId: string, call: Call, answer: Answer): void {
    if (isNothingYet(kind, answer)) throw notReady(answerFacts(call, answer), jobId);
    this.#unseen[kind].delete(jobId);
  }

  again(kind: 'status' | 'page', jobId: string): AskAgain {
    return {
      attempts: this.#unseen[kind].has(jobId) ? PATIENT_ATTEMPTS : DOUBTING_ATTEMPTS,
      when: (answer) => answer.status === 404 || isNothingYet(kind, answer),
    };
  }
}

/** "No content" or "accepted": the word on a job may come with the latter, results do not. */
function isNothingYet(kind: 'status' | 'page', { status, body }: Answer): boolean {
  return status === 204 || (status === 202 && (kind === 'page' || body.length === 0));
}

/** The id as a path segment. An id that never came from Genesys is as good as gone. */
export function jobSegment(jobId: string, facts: CallFacts): string {
  if (!JOB_ID.test(jobId)) throw jobGone(facts, plainText(jobId), 'not a job id, not asked');
  return encodeURIComponent(jobId);
}

/** The statuses by which Genesys says that it does not know the job. */
export function goneIfUnknown(
  jobId: string,
): (status: number, reason: string, facts: CallFacts) => GenesysError | undefined {
  return (status, reason, facts) =>
    [400, 404, 410].includes(status) ? jobGone(facts, jobId, `${status}, ${reason}`) : undefined;
}

/** The status of a job that is not done. A state that nobody knows counts as pending: the poller's longest wait bounds it. */
export function unfinished(
  state: 'pending' | 'failed' | 'cancelled' | 'expired' | undefined,
  message: string | null | undefined,
  answer: Answer,
  clock: Clock,
): JobStatus {
  if (state !== undefined && state !== 'pending') return { state, ...(message ? { message: plainText(message) } : {}) };
  const waitMs = retryAfterOf(answer.headers, clock.nowMs());
  return { state: 'pending', ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}
