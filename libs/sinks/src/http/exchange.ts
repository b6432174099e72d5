import type { DeliveryOutcome } from '@genesys-kafka/delivery';
import { Ending, Endings } from './client/ending.ts';
import type { Answer, HttpClient, Message } from './client/http-client.ts';
import { outcomeOfFailure } from './client/http-failure.ts';
import { isUnaskedContinue } from './client/node-client.ts';

/** One for all: a stack trace for each request would cost as much as the rest of it. */
const LATE = new Error('timeout');

export interface ExchangeOptions {
  readonly client: HttpClient;
  /** For a target that sends `100 Continue` unasked; undefined where there is none. */
  readonly otherClient: (() => HttpClient) | undefined;
  readonly timeoutMs: number;
  readonly keepBytes: number;
}

/**
 * A message and its answer, within the time that they have: in place of an answer, what the lack of one means. Rejects
 * only with the reason of the signal.
 */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #endings = new Endings();
  #client: HttpClient;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#client = options.client;
  }

  async send(message: Message, signal: AbortSignal, onWritten: () => void): Promise<Answer | DeliveryOutcome> {
    signal.throwIfAborted();
    const { timeoutMs } = this.#options;
    const ending = new Ending();
    this.#endings.follow(signal, ending);
    const timer = setTimeout(() => ending.end(LATE), timeoutMs);
    try {
      const first = await this.#try(message, ending, onWritten);
      const again = isWorthAnother(first) && !ending.reason;
      const settled = again ? await this.#try(message, ending, onWritten) : first;
      if ('statusCode' in settled || settled.kind !== 'retry') return settled;
      signal.throwIfAborted();
      if (ending.reason === LATE)
        return { kind: 'retry', failure: { cause: 'timeout', reason: `no complete answer within ${timeoutMs} ms` } };
      // Nor would any other record come through.
      return settled.failure.cause === 'continue-unasked' ? { ...settled, kind: 'misconfigured' } : settled;
    } finally {
      clearTimeout(timer);
      this.#endings.forget(signal, ending);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.close(), this.#options.client.close()]);
  }

  async #try(message: Message, ending: Ending, onWritten: () => void): Promise<Answer | DeliveryOutcome> {
    const { client, otherClient, keepBytes } = this.#options;
    try {
      return await this.#client.send({ ...message, keepBytes, ending, onWritten });
    } catch (error) {
      // Node's own client from when the target has shown what it does.
      if (otherClient && isUnaskedContinue(error) && this.#client === client) this.#client = otherClient();
      return outcomeOfFailure(error);
    }
  }
}

/**
 * With the same key: a kept connection that the target closed as we wrote was its idle timer, not its opinion; and
 * after a `100 Continue` the other client is there.
 */
function isWorthAnother(outcome: Answer | DeliveryOutcome): boolean {
  if ('statusCode' in outcome || outcome.kind !== 'retry') return false;
  return outcome.failure.cause === 'connection-reset' || outcome.failure.cause === 'continue-unasked';
}
