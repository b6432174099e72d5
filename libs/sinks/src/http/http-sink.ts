import type { Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { headerOf, retryAfterOf } from '@genesys-kafka/http';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { Ending, Endings } from './ending.ts';
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
  const endings = new Endings();

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

  const send = async (delivery: Delivery, ending: Ending, onWritten: () => void): Promise<DeliveryOutcome> => {
    const { body, contentType, idempotencyKey, recordVersion } = delivery;
    const ours = {
      'content-type': contentType,
      'content-length': String(body.length),
      'idempotency-key': idempotencyKey,
      'record-version': String(recordVersion),
    };
    try {
      const answer = await client.post({
        headers: { ...headers, ...delivery.headers, ...ours },
        body,
        ending,
        onWritten,
      });
      return outcomeFrom(answer, idempotencyKey);
    } catch (error) {
      if (isUnaskedContinue(error) && client === undici && !proxied) client = new NodeClient(target, connections);
      return outcomeOfFailure(error);
    }
  };

  const post = async (delivery: Delivery, signal: AbortSignal, onWritten: () => void): Promise<DeliveryOutcome> => {
    signal.throwIfAborted();
    const ending = new Ending();
    endings.follow(signal, ending);
    const timer = setTimeout(() => ending.end(LATE), timeoutMs);
    try {
      const outcome = await send(delivery, ending, onWritten);
      const again = isWorthAnother(outcome) && !ending.reason;
      const settled = again ? await send(delivery, ending, onWritten) : outcome;
      if (settled.kind !== 'retry' || settled.failure.httpStatus !== undefined) return settled;
      // Nor would any other record come through.
      if (settled.failure.cause === 'continue-unasked') return { ...settled, kind: 'misconfigured' };
      signal.throwIfAborted();
      if (ending.reason !== LATE) return settled;
      return { kind: 'retry', failure: { cause: 'timeout', reason: `no complete answer within ${timeoutMs} ms` } };
    } finally {
      clearTimeout(timer);
      endings.forget(signal, ending);
    }
  };

  return {
    batch: { records: 1, bytes: Infinity, ageMs: 0 },
    deliver: (batch, signal, onWritten = () => undefined) =>
      Promise.all(batch.map((delivery) => post(delivery, signal, onWritten))),
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
