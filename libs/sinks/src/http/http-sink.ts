import type { Delivery, DeliveryOutcome, Sink } from '@genesys-kafka/delivery';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { BatchOutcomes } from './answer/batch-outcomes.ts';
import { ItemAnswers } from './answer/item-answers.ts';
import type { Answer, Message } from './client/http-client.ts';
import { connectionsTo, isProxied } from './client/http-connections.ts';
import { NodeClient } from './client/node-client.ts';
import { UndiciClient } from './client/undici-client.ts';
import { Exchange } from './exchange.ts';
import { checkConnection, checkWithRequest } from './http-check.ts';
import { checkPositive, parseTarget, type HttpSinkOptions } from './http-options.ts';
import { readClientTls } from './login/client-certificate.ts';
import { loginOf, outcomeOfLogin } from './login/login.ts';
import { messagesOf } from './messages.ts';

const ONE_RECORD = { records: 1, bytes: Infinity, ageMs: 0 };
const MOST_CHECK_MS = 10_000;
/** A token that has ended; and one without a right that was given since it was issued, which only the next one has. */
const REFUSALS = new Set([401, 403]);

/**
 * Requests of one record, or of several: the records' own bytes, known by `Idempotency-Key` and version. Redirects are
 * not followed, answers are never logged. At least once: after a time-out or reset the target may have the records, and
 * tells by their keys. Throws `sink-option-invalid` for settings that cannot be used.
 */
export function createHttpSink(options: HttpSinkOptions, clock: Clock = systemClock): Sink {
  const { name, batch = ONE_RECORD, answers, proxy } = options;
  const target = parseTarget(options);
  const messages = messagesOf(options, target);
  const timeoutMs = checkPositive(name, 'timeout', options.timeoutMs ?? 30_000);
  const connections = checkPositive(name, 'concurrency', options.maxConnections ?? 16);
  const tls = readClientTls(name, target.secure, options.tls ?? {});
  const items = answers && new ItemAnswers(name, answers, batch.records);
  const outcomes = new BatchOutcomes(items, options.pages === 'taken', clock);
  const proxied = isProxied(target, proxy);
  const dispatcher = connectionsTo(target, { connections, timeoutMs, proxy, tls });
  const exchange = new Exchange({
    client: new UndiciClient(dispatcher, target.origin),
    otherClient: proxied ? undefined : () => new NodeClient(target, connections, tls),
    timeoutMs,
    keepBytes: items?.keepBytes ?? 0,
  });
  const { finish, tokens } = loginOf(options, tls, clock);
  /** Records that went alone for a batch that was refused. */
  let alone = 0;

  const send = async (
    message: Message,
    signal: AbortSignal,
    onWritten: () => void,
  ): Promise<Answer | DeliveryOutcome> => {
    if (!tokens) return exchange.send(finish(message), signal, onWritten);
    try {
      const token = await tokens.current(signal);
      const answer = await exchange.send(finish(message, token), signal, onWritten);
      if (!('statusCode' in answer) || !REFUSALS.has(answer.statusCode)) return answer;
      return await exchange.send(finish(message, await tokens.renewed(token, signal)), signal, onWritten);
    } catch (error) {
      signal.throwIfAborted();
      return outcomeOfLogin(error);
    }
  };

  const request = async (
    records: readonly Delivery[],
    signal: AbortSignal,
    onWritten: () => void,
  ): Promise<readonly DeliveryOutcome[]> => {
    const message = messages.of(records);
    if ('kind' in message) return records.map(() => message);
    const number = outcomes.begin();
    const answer = await send(message, signal, onWritten);
    if ('kind' in answer) return outcomes.ofNoAnswer(answer, records);
    return outcomes.of(answer, records, { request: number, requestKey: message.headers['idempotency-key']! });
  };

  const deliver: Sink['deliver'] = async (records, signal, onWritten = () => undefined) => {
    signal.throwIfAborted();
    const told = await request(records, signal, onWritten);
    if (records.length === 1 || !told.every(isForbidden)) return told;
    // Whether we are refused, or one of them, shows when one goes alone: another one each time.
    const index = (alone += 1) % records.length;
    const [outcome] = await request([records[index]!], signal, onWritten);
    if (outcome!.kind === 'retry' || outcome!.kind === 'misconfigured') return told;
    return told.map(oneOfSeveral).with(index, outcome!);
  };

  return {
    batch,
    deliver,
    check: async (signal) => {
      const checkMs = Math.min(timeoutMs, MOST_CHECK_MS);
      if (tokens) await tokens.current(signal);
      const limits = { timeoutMs: checkMs, signal };
      // Whether a certificate of ours is taken is told only by an answer: the handshake is over before that.
      const isCertified = tls.cert !== undefined;
      return proxied || isCertified
        ? checkWithRequest(target, { dispatcher, path: messages.fixedPath, isCertified, ...limits })
        : checkConnection(target, { tls, ...limits });
    },
    close: async () => {
      await Promise.all([exchange.close(), tokens?.close()]);
    },
  };
}

function isForbidden(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'misconfigured' && outcome.failure.httpStatus === 403;
}

function oneOfSeveral(outcome: DeliveryOutcome): DeliveryOutcome {
  return outcome.kind === 'delivered' ? outcome : { kind: 'rejected', failure: outcome.failure, ofSeveral: true };
}
