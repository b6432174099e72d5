import type { Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { headerOf, retryAfterOf } from '@genesys-kafka/http';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { kindOfAnswer, namesKey, outcomeOf } from './http-answer.ts';
import { checkConnection, checkThroughProxy } from './http-check.ts';
import { connectionsTo, isProxied } from './http-connections.ts';
import { outcomeOfFailure } from './http-failure.ts';
import { checkHeaders, checkPositive, parseTarget, type HttpSinkOptions } from './http-options.ts';

/** Answers are read to their end, so that the connection can be used again, but no further than this. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * One POST a record: its own bytes, `Idempotency-Key` and `Record-Version`. Redirects are not
 * followed, answers are never logged. At least once: after a time-out or reset the target may have the record, and
 * tells by the key. Throws `sink-option-invalid` for settings that cannot be used.
 */
export function createHttpSink(options: HttpSinkOptions, clock: Clock = systemClock): Sink {
  const target = parseTarget(options);
  const headers = checkHeaders(options.name, options.headers ?? {});
  const timeoutMs = checkPositive(options.name, 'timeout', options.timeoutMs ?? 30_000);
  const connections = checkPositive(options.name, 'concurrency', options.maxConnections ?? 16);
  const dispatcher = connectionsTo({ connections, timeoutMs, proxy: options.proxy });

  let usuallyJson = false;

  const send = async (delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> => {
    const answer = await dispatcher.request({
      method: 'POST',
      origin: target.origin,
      path: target.path,
      signal,
      body: delivery.body,
      headers: {
        ...headers,
        'content-type': delivery.contentType,
        'content-length': String(delivery.body.length),
        'idempotency-key': delivery.idempotencyKey,
        'record-version': String(delivery.recordVersion),
      },
    });
    const namesOurKey = await readAnswer(answer, delivery.idempotencyKey);
    const retryAfterMs = retryAfterOf(answer.headers, clock.nowMs());
    const kind = kindOfAnswer(headerOf(answer.headers, 'content-type'));
    const outcome = outcomeOf({ status: answer.statusCode, namesOurKey, retryAfterMs, kind, usuallyJson });
    if (outcome.kind === 'delivered' && kind === 'json') usuallyJson = true;
    return outcome;
  };

  const post = async (delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> => {
    signal.throwIfAborted();
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timeout = new Error('timeout');
    const timer = setTimeout(() => abort.abort(timeout), timeoutMs);
    try {
      const outcome = await attempt(() => send(delivery, abort.signal));
      // A kept connection that the target closed as we wrote: its idle timer, not its opinion. Once more, same key.
      const again = outcome.kind === 'retry' && outcome.failure.cause === 'connection-reset' && !abort.signal.aborted;
      const settled = again ? await attempt(() => send(delivery, abort.signal)) : outcome;
      if (settled.kind !== 'retry' || settled.failure.httpStatus !== undefined) return settled;
      signal.throwIfAborted();
      if (abort.signal.reason !== timeout) return settled;
      return { kind: 'retry', failure: { cause: 'timeout', reason: `no complete answer within ${timeoutMs} ms` } };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  };

  return {
    batch: { records: 1, bytes: Infinity, ageMs: 0 },
    deliver: async (batch, signal) => Promise.all(batch.map(async (delivery) => post(delivery, signal))),
    check: async (signal) => {
      const checkMs = Math.min(timeoutMs, 10_000);
      return isProxied(target, options.proxy)
        ? checkThroughProxy(target, dispatcher, checkMs, signal)
        : checkConnection(target, checkMs, signal);
    },
    close: async () => dispatcher.destroy(),
  };
}

async function attempt(send: () => Promise<DeliveryOutcome>): Promise<DeliveryOutcome> {
  try {
    return await send();
  } catch (error) {
    return outcomeOfFailure(error);
  }
}

/**
 * Reads the answer to its end or its cap. For a 409: whether header or body name our key. The status alone decides
 * everything else, so a body that breaks off or stalls until the time-out changes nothing.
 */
async function readAnswer({ statusCode, headers, body }: Dispatcher.ResponseData, key: string): Promise<boolean> {
  let text = '';
  if (statusCode === 409) {
    text = `${headerOf(headers, 'idempotency-key') ?? ''} `;
    try {
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        text += chunk.toString('latin1');
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) break;
      }
    } catch {
      // What has been read counts.
    }
  } else {
    await body.dump({ limit: MAX_ANSWER_BYTES }).catch(() => undefined);
  }
  return namesKey(text, key);
}
