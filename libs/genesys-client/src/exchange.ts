import { headerOf, type Headers } from '@genesys-kafka/http';
import { giveBack } from '@genesys-kafka/resilience/memory';
import type { Dispatcher } from 'undici';
import { answerTooLarge, type CallFacts } from './call-errors.ts';

/** A request on its way through the interceptors: undici's options and what ours need to know. */
export interface Call extends Dispatcher.DispatchOptions {
  readonly origin: string;
  /** Names the call in errors and events, e.g. `details-jobs submit`. */
  readonly operation: string;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  /** A longer answer is an error (of a 2xx) or cut (of any other status). */
  readonly maxBytes: number;
  readonly again?: AskAgain;
  /** Told when the answer begins, which may be long before it is complete; told more than once. */
  readonly onAnswerBegun?: (status: number, headers: Headers) => void;
}

/** Answers that are final for other calls, and are asked for again by this one. */
export interface AskAgain {
  readonly when: (answer: Answer) => boolean;
  /** Attempts in all, the first included. */
  readonly attempts: number;
}

/** A complete answer. Answers are held whole, so that one that breaks half-way is retried like one that never came. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** One request, one complete answer; rejects with the signal's reason as soon as it aborts. */
export type Exchange = (call: Call) => Promise<Answer>;

/** Errors name the host alone: a path has ids, a query string may have more. */
export function callFacts(call: Call): CallFacts {
  return { operation: call.operation, host: new URL(call.origin).host };
}

/**
 * The id by which Genesys' support finds a call (docs/genesys-cloud.md, "Rate limits"). Only of a harmless shape: it
 * goes into logs.
 */
export function correlationId({ headers }: Answer): string | undefined {
  const value = headerOf(headers, 'inin-correlation-id');
  return value !== undefined && /^[\w.:-]{1,100}$/.test(value) ? value : undefined;
}

/** An undici dispatch function as an `Exchange`. */
export function exchanging(dispatch: Dispatcher.Dispatch): Exchange {
  return async (call) => {
    call.signal.throwIfAborted();
    const collector = new Collector(call);
    const onAbort = () => collector.fail(call.signal.reason as Error);
    call.signal.addEventListener('abort', onAbort, { once: true });
    try {
      dispatch(call, collector);
      return await collector.answer.promise;
    } finally {
      call.signal.removeEventListener('abort', onAbort);
    }
  };
}

/**
 * An undici interceptor written as a function around the next exchange: it may change the call, make it again,
 * or look at the answer. Composes with undici's own interceptors.
 */
export function interceptor(
  around: (call: Call, next: Exchange) => Promise<Answer>,
): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => {
    const next = exchanging(dispatch);
    return (options, handler) => {
      void around(options as Call, next).then(
        (answer) => {
          handler.onRequestStart?.(SETTLED, {});
          handler.onResponseStart?.(SETTLED, answer.status, answer.headers);
          handler.onResponseData?.(SETTLED, answer.body);
          handler.onResponseEnd?.(SETTLED, {});
        },
        (error: unknown) => handler.onResponseError?.(SETTLED, error as Error),
      );
      return true;
    };
  };
}

/** Controls a request that is over: there is nothing left to pause or abort. */
const SETTLED: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

const NOTHING = Buffer.alloc(0);

class Collector implements Dispatcher.DispatchHandler {
  readonly answer = Promise.withResolvers<Answer>();
  readonly #call: Call;
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;
  #status = 0;
  #headers: Headers = {};
  /** As large as the answer says that it will be: its first `#bytes` bytes have arrived. */
  #body: Buffer = NOTHING;
  #bytes = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Settles the answer and ends the request, now or as soon as it starts. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#body = NOTHING;
    this.answer.reject(error);
    this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure) controller.abort(this.#failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    this.#call.onAnswerBegun?.(status, headers);
    if (status < 300 && Number(headers['content-length']) > this.#call.maxBytes) this.#tooLarge();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#failure) return;
    if (this.#bytes + chunk.length > this.#call.maxBytes) {
      if (this.#status < 300) {
        this.#tooLarge();
        return;
      }
      // The start of an endless error page says enough.
      this.#settle();
      controller.abort(answerTooLarge(callFacts(this.#call), this.#call.maxBytes));
      return;
    }
    if (controller === SETTLED) this.#body = chunk;
    else this.#append(chunk);
    this.#bytes += chunk.length;
  }

  /** Copied at once: kept until the end, the pieces would outlive the young generation, and wait for a full collection. */
  #append(chunk: Buffer): void {
    const needed = this.#bytes + chunk.length;
    if (needed > this.#body.length) {
      const announced = Number(this.#headers['content-length'] ?? 0) || 0;
      const most = Math.max(needed, Math.min(this.#call.maxBytes, Math.max(announced, 2 * this.#body.length)));
      const grown = Buffer.allocUnsafeSlow(most);
      this.#body.copy(grown, 0, 0, this.#bytes);
      giveBack(this.#body);
      this.#body = grown;
    }
    chunk.copy(this.#body, this.#bytes);
  }

  onResponseEnd(): void {
    if (!this.#failure) this.#settle();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  #settle(): void {
    const body = this.#body.subarray(0, this.#bytes);
    this.#body = NOTHING;
    this.answer.resolve({ status: this.#status, headers: this.#headers, body });
  }

  #tooLarge(): void {
    this.fail(answerTooLarge(callFacts(this.#call), this.#call.maxBytes));
  }
}
