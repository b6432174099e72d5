import type { Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { headerOf, retryAfterOf } from '@genesys-kafka/http';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { kindOfAnswer, namesKey, outcomeOf } from './http-answer.ts';
import { checkConnection, checkThroughProxy } from './http-check.ts';
import { connectionsTo, isProxied } from './http-connections.ts';
import { outcomeOfFailure } from './http-failure.ts';
import { checkHeaders, checkPositive, parseTarget, type HttpSinkOptions, type HttpTarget } from './http-options.ts';
import { isUnaskedContinue, NodeClient, type Answer } from './node-client.ts';
import { tellingWritten } from './telling-written.ts';

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

  const client = clientTo(target, dispatcher, connections, isProxied(target, options.proxy));
  let usuallyJson = false;

  const send = async (delivery: Delivery, signal: AbortSignal, onWritten: () => void): Promise<DeliveryOutcome> => {
    const answer = await client.post(delivery.body, signal, onWritten, {
      ...headers,
      'content-type': delivery.contentType,
      'content-length': String(delivery.body.length),
      'idempotency-key': delivery.idempotencyKey,
      'record-version': String(delivery.recordVersion),
    });
    const namesOurKey = await readAnswer(answer, delivery.idempotencyKey);
    const retryAfterMs = retryAfterOf(answer.headers, clock.nowMs());
    const kind = kindOfAnswer(headerOf(answer.headers, 'content-type'));
    const outcome = outcomeOf({ status: answer.statusCode, namesOurKey, retryAfterMs, kind, usuallyJson });
    if (outcome.kind === 'delivered' && kind === 'json') usuallyJson = true;
    return outcome;
  };

  const post = async (delivery: Delivery, signal: AbortSignal, onWritten: () => void): Promise<DeliveryOutcome> => {
    signal.throwIfAborted();
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timeout = new Error('timeout');
    const timer = setTimeout(() => abort.abort(timeout), timeoutMs);
    try {
      const outcome = await attempt(() => send(delivery, abort.signal, onWritten));
      const again = isWorthAnother(outcome) && !abort.signal.aborted;
      const settled = again ? await attempt(() => send(delivery, abort.signal, onWritten)) : outcome;
      if (settled.kind !== 'retry' || settled.failure.httpStatus !== undefined) return settled;
      // Nor would any other record come through.
      if (settled.failure.cause === 'continue-unasked') return { ...settled, kind: 'misconfigured' };
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
    deliver: async (batch, signal, onWritten = () => undefined) =>
      Promise.all(batch.map(async (delivery) => post(delivery, signal, onWritten))),
    check: async (signal) => {
      const checkMs = Math.min(timeoutMs, 10_000);
      return isProxied(target, options.proxy)
        ? checkThroughProxy(target, dispatcher, checkMs, signal)
        : checkConnection(target, checkMs, signal);
    },
    close: async () => {
      client.close();
      await dispatcher.destroy();
    },
  };
}

interface Client {
  post(body: Buffer, signal: AbortSignal, onWritten: () => void, headers: Record<string, string>): Promise<Answer>;
  close(): void;
}

/** undici; and Node's own client from when the target has shown that it sends `100 Continue` unasked. */
function clientTo(target: HttpTarget, dispatcher: Dispatcher, connections: number, proxied: boolean): Client {
  const { origin, path } = target;
  const told = dispatcher.compose(tellingWritten);
  let node: NodeClient | undefined;
  return {
    post: async (body, signal, onWritten, headers) => {
      if (node) return node.post(headers, body, signal, onWritten);
      try {
        return await told.request({ method: 'POST', origin, path, signal, body, headers, opaque: onWritten });
      } catch (error) {
        if (isUnaskedContinue(error) && !proxied) node ??= new NodeClient(target, connections);
        throw error;
      }
    },
    close: () => node?.close(),
  };
}

/**
 * With the same key: a kept connection that the target closed as we wrote was its idle timer, not its opinion; and
 * after a `100 Continue` the other client is there.
 */
function isWorthAnother(outcome: DeliveryOutcome): boolean {
  if (outcome.kind !== 'retry') return false;
  return outcome.failure.cause === 'connection-reset' || outcome.failure.cause === 'continue-unasked';
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
async function readAnswer({ statusCode, headers, body }: Answer, key: string): Promise<boolean> {
  let text = `${headerOf(headers, 'idempotency-key') ?? ''} `;
  try {
    let bytes = 0;
    for await (const chunk of body) {
      if (statusCode === 409) text += chunk.toString('latin1');
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // What has been read counts.
  }
  return statusCode === 409 && namesKey(text, key);
}
