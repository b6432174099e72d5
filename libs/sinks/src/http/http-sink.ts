import type { Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { headerOf, retryAfterOf } from '@genesys-kafka/http';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { kindOfAnswer, namesKey, outcomeOf } from './http-answer.ts';
import { checkConnection, checkThroughProxy } from './http-check.ts';
import type { Answer, HttpClient } from './http-client.ts';
import { connectionsTo, isProxied } from './http-connections.ts';
import { outcomeOfFailure } from './http-failure.ts';
import { checkHeaders, checkPositive, parseTarget, type HttpSinkOptions } from './http-options.ts';
import { isUnaskedContinue, NodeClient } from './node-client.ts';
import { UndiciClient } from './undici-client.ts';

/** One for all: a stack trace for each request would cost as much as the rest of it. */
const LATE = new Error('timeout');

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
  const proxied = isProxied(target, options.proxy);
  const dispatcher = connectionsTo(target, { connections, timeoutMs, proxy: options.proxy });
  const undici = new UndiciClient(dispatcher, target);
  /** Node's own from when the target has shown that it sends `100 Continue` unasked. */
  let client: HttpClient = undici;
  let usuallyJson = false;

  const outcomeFrom = (answer: Answer, key: string): DeliveryOutcome => {
    const named =
      answer.statusCode === 409 ? `${headerOf(answer.headers, 'idempotency-key') ?? ''} ${answer.text}` : '';
    const kind = kindOfAnswer(headerOf(answer.headers, 'content-type'));
    const outcome = outcomeOf({
      status: answer.statusCode,
      namesOurKey: namesKey(named, key),
      retryAfterMs: retryAfterOf(answer.headers, clock.nowMs()),
      kind,
      usuallyJson,
    });
    if (outcome.kind === 'delivered' && kind === 'json') usuallyJson = true;
    return outcome;
  };

  const send = async (delivery: Delivery, signal: AbortSignal, onWritten: () => void): Promise<DeliveryOutcome> => {
    const ours = {
      'content-type': delivery.contentType,
      'content-length': String(delivery.body.length),
      'idempotency-key': delivery.idempotencyKey,
      'record-version': String(delivery.recordVersion),
    };
    try {
      const answer = await client.post({ headers: { ...headers, ...ours }, body: delivery.body, signal, onWritten });
      return outcomeFrom(answer, delivery.idempotencyKey);
    } catch (error) {
      if (isUnaskedContinue(error) && client === undici && !proxied) client = new NodeClient(target, connections);
      return outcomeOfFailure(error);
    }
  };

  const post = async (delivery: Delivery, signal: AbortSignal, onWritten: () => void): Promise<DeliveryOutcome> => {
    signal.throwIfAborted();
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = setTimeout(() => abort.abort(LATE), timeoutMs);
    try {
      const outcome = await send(delivery, abort.signal, onWritten);
      const again = isWorthAnother(outcome) && !abort.signal.aborted;
      const settled = again ? await send(delivery, abort.signal, onWritten) : outcome;
      if (settled.kind !== 'retry' || settled.failure.httpStatus !== undefined) return settled;
      // Nor would any other record come through.
      if (settled.failure.cause === 'continue-unasked') return { ...settled, kind: 'misconfigured' };
      signal.throwIfAborted();
      if (abort.signal.reason !== LATE) return settled;
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
      return proxied
        ? checkThroughProxy(target, dispatcher, checkMs, signal)
        : checkConnection(target, checkMs, signal);
    },
    close: async () => {
      await Promise.all([client.close(), undici.close()]);
    },
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
