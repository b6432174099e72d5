import { promisify } from 'node:util';
import { brotliDecompress, gunzip } from 'node:zlib';
import { headerOf } from '@genesys-kafka/http';
import type { Dispatcher } from 'undici';
import { answerTooLarge, badAnswer, callError } from '../call-errors.ts';
import { callFacts, interceptor, type Answer, type Call } from '../exchange.ts';

const DECODERS = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['br', promisify(brotliDecompress)],
]);

/**
 * Undoes one content-encoding, output capped at the call's `maxBytes`. Asks for gzip and brotli only: servers disagree
 * on whether "deflate" has a zlib header. A chain of encodings is refused (CVE-2026-22036: each link multiplies).
 */
export function decode(): Dispatcher.DispatcherComposeInterceptor {
  return interceptor(async (call, next) => {
    const answer = await next({ ...call, headers: { ...call.headers, 'accept-encoding': 'gzip, br' } });
    const encoding = headerOf(answer.headers, 'content-encoding') ?? 'identity';
    if (encoding === 'identity' || encoding === '' || answer.body.length === 0) return answer;
    return { ...answer, body: await decoded(call, answer, encoding) };
  });
}

async function decoded(call: Call, answer: Answer, encoding: string): Promise<Buffer> {
  // The answer to a failed call matters for its status; an odd body must not hide that.
  const failed = answer.status >= 300;
  const decoder = DECODERS.get(encoding.trim().toLowerCase());
  if (!decoder) {
    if (failed) return Buffer.alloc(0);
    const sort = encoding.includes(',') ? 'more than one' : 'an unknown';
    throw badAnswer(callFacts(call), `${sort} content-encoding, and only one gzip or br is accepted`);
  }
  try {
    return await decoder(answer.body, { maxOutputLength: call.maxBytes });
  } catch (error) {
    if (failed) return Buffer.alloc(0);
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw answerTooLarge(callFacts(call), call.maxBytes);
    }
    // Damaged on the way: the next attempt may be whole.
    const facts = callFacts(call);
    const what = `The compressed answer of ${facts.host} to ${facts.operation} is damaged.`;
    throw callError('answer-damaged', facts, what, { cause: error });
  }
}
