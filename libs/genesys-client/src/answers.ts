import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { correlationId } from './correlation-id.ts';
import {
  BadAnswerError,
  BadRequestError,
  PermissionMissingError,
  RateLimitedError,
  ServerError,
  TokenRefusedError,
  type CallFacts,
} from './errors.ts';
import { callFacts, type Answer, type Call } from './exchange.ts';
import { rateLimitWaitMs } from './interceptors/rate-limits.ts';

/** The facts of a call that was answered. */
export function answerFacts(call: Call, answer: Answer): CallFacts {
  const id = correlationId(answer);
  return { ...callFacts(call), status: answer.status, ...(id === undefined ? {} : { correlationId: id }) };
}

/** Open models: unknown fields are fine, missing or mistyped ones raise `BadAnswerError`, which names them, not their values. */
export function readJson<T extends z.ZodType>(call: Call, answer: Answer, schema: T): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(answer.body.toString('utf8'));
  } catch {
    // The parser's own message quotes the text.
    throw new BadAnswerError(answerFacts(call, answer), `it is not JSON but ${contentType(answer)}`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.') || 'the whole body');
  throw new BadAnswerError(answerFacts(call, answer), `missing or unusable: ${[...new Set(fields)].join(', ')}`);
}

/** What an answer outside 2xx means where the operation itself has no better word for it. */
export function refusal(call: Call, answer: Answer, permission: string, clock: Clock): Error {
  const facts = answerFacts(call, answer);
  const { status } = answer;
  if (status === 401) return new TokenRefusedError(facts);
  if (status === 403) return new PermissionMissingError(facts, permission);
  if (status === 429) return new RateLimitedError(facts, rateLimitWaitMs(answer, clock));
  if (status >= 500 || status === 408 || status === 425) return new ServerError(facts, status);
  if (status < 400) return new BadAnswerError(facts, `a redirect (${status}), which is not followed`);
  if (status === 404 || status === 405) return new BadAnswerError(facts, `${status}, this address knows no such call`);
  return new BadRequestError(facts, status, refusalReason(answer));
}

const errorBody = z.object({ code: z.string().optional(), messageWithParams: z.string().optional() });

/**
 * Genesys' message code and template (`Interval of {days} days is too long`). The filled-in `message` is left out: it
 * may quote a filter's value, and so a person.
 */
export function refusalReason(answer: Answer): string {
  let body: z.output<typeof errorBody>;
  try {
    body = errorBody.parse(JSON.parse(answer.body.toString('utf8')));
  } catch {
    return `no Genesys error body, ${contentType(answer)}`;
  }
  const code = body.code !== undefined && /^[\w.-]{1,100}$/.test(body.code) ? body.code : 'no code';
  const template = body.messageWithParams?.includes('{') === true ? plainText(body.messageWithParams) : undefined;
  return template === undefined ? code : `${code}: ${template}`;
}

/** Text of the other side made fit for one line of a log: no control characters, at most 300 characters. */
export function plainText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').slice(0, 300);
}

function contentType(answer: Answer): string {
  const value = answer.headers['content-type'];
  const media = typeof value === 'string' ? /^[\w.+/-]{1,80}/.exec(value)?.[0] : undefined;
  return answer.body.length === 0 ? 'empty' : (media ?? 'of no type');
}
