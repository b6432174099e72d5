import { headerOf } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import { redactText } from '@genesys-kafka/runtime';
import { z } from 'zod';
import { badAnswer, badRequest, callError, type CallFacts } from './call-errors.ts';
import type { GenesysError } from './errors.ts';
import { callFacts, correlationId, type Answer, type Call } from './exchange.ts';
import { rateLimitWaitMs } from './interceptors/rate-limits.ts';

/** The facts of a call that was answered. */
export function answerFacts(call: Call, answer: Answer): CallFacts {
  const id = correlationId(answer);
  return { ...callFacts(call), status: answer.status, ...(id === undefined ? {} : { correlationId: id }) };
}

/** Open models: unknown fields are fine, missing or mistyped ones raise `bad-answer`, which names them, not their values. */
export function readJson<T extends z.ZodType>(call: Call, answer: Answer, schema: T): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(answer.body.toString('utf8'));
  } catch {
    // The parser's own message quotes the text.
    throw badAnswer(answerFacts(call, answer), `it is not JSON but ${contentType(answer)}`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole body');
  throw badAnswer(answerFacts(call, answer), `missing or unusable: ${[...new Set(fields)].join(', ')}`);
}

/** What an answer outside 2xx means where the operation itself has no better word for it. */
export function refusal(call: Call, answer: Answer, permission: string, clock: Clock): GenesysError {
  const facts = answerFacts(call, answer);
  const { host, operation } = facts;
  const { status } = answer;
  if (status === 401) {
    return callError('token-refused', facts, `${host} refused a fresh token for ${operation} (401 twice).`);
  }
  if (status === 403) {
    const named = permissionsNamed(answer);
    const told = named === undefined || named === permission ? '' : ` Its answer names ${named}.`;
    const what = `${host} does not allow ${operation} (403): it takes the permission ${permission}.${told}`;
    return callError('permission-missing', { ...facts, permission }, what);
  }
  if (status === 429) {
    const retryAfterMs = rateLimitWaitMs(answer, clock);
    const what = `${host} limits the request rate during ${operation} (429), for ${Math.ceil(retryAfterMs / 1000)} s more.`;
    return callError('rate-limited', facts, what, { retryAfterMs });
  }
  if (status >= 500 || status === 408 || status === 425) {
    return callError('server-error', facts, `${host} answered ${status} to ${operation} again and again.`);
  }
  if (status < 400) return badAnswer(facts, `a redirect (${status}), which is not followed`);
  if (status === 404 || status === 405) return badAnswer(facts, `${status}, this address knows no such call`);
  return badRequest(facts, status, refusalReason(answer));
}

const ERROR_BODY = z.object({
  code: z.string().optional(),
  messageWithParams: z.string().optional(),
  message: z.string().optional(),
});
/** Letters alone: what else may stand beside a colon, such as a number, is somebody's. */
const PERMISSION = /(?<=[[ ,])[a-z]{1,40}(?::[a-z]{1,40}){1,2}(?=[\] ,.]|$)/gi;

/** The permissions that a refusal for want of them names: words of the platform, nobody's data. */
function permissionsNamed(answer: Answer): string | undefined {
  try {
    const { code, message } = ERROR_BODY.parse(JSON.parse(answer.body.toString('utf8')));
    if (!/^missing\..*permissions?$/.test(code ?? '')) return undefined;
    return message?.match(PERMISSION)?.slice(0, 10).join(', ');
  } catch {
    return undefined;
  }
}

/** Of "Pagination may not exceed 400000 results" and "… does not exceed 31 days": nothing in it is anybody's data. */
const LIMIT_WORDS = /\b(?:may|must|does|should) not exceed \d{1,12} [a-z]{1,20}\b/i;

/**
 * Genesys' message code and template (`Interval of {days} days is too long`). The filled-in `message` is left out, but
 * for the words on a limit: it may quote a filter's value, and so a person.
 */
export function refusalReason(answer: Answer): string {
  let body: z.output<typeof ERROR_BODY>;
  try {
    body = ERROR_BODY.parse(JSON.parse(answer.body.toString('utf8')));
  } catch {
    return `no Genesys error body, ${contentType(answer)}`;
  }
  const code = body.code !== undefined && /^[\w.-]{1,100}$/.test(body.code) ? body.code : 'no code';
  const template = body.messageWithParams?.includes('{') === true ? plainText(body.messageWithParams) : undefined;
  const told = template ?? LIMIT_WORDS.exec(body.message ?? '')?.[0];
  return told === undefined ? code : `${code}: ${told}`;
}

/**
 * Text of the other side made fit for one line of a log, a report or the ledger: no secrets or query strings, no control
 * characters, at most 300 characters. Cut last, for half a token is not known as one.
 */
export function plainText(text: string): string {
  return redactText(text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')).slice(0, 300);
}

function contentType(answer: Answer): string {
  const media = /^[\w.+/-]{1,80}/.exec(headerOf(answer.headers, 'content-type') ?? '')?.[0];
  return answer.body.length === 0 ? 'empty' : (media ?? 'of no type');
}
