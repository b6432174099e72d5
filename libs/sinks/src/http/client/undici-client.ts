import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { AnswerBody, type Answer, type HttpClient, type Request } from './http-client.ts';

/**
 * Sends by undici's `dispatch`. Its `request` makes a stream of each answer and takes half as long again, for bodies of
 * which nothing is wanted but their end.
 */
export class UndiciClient implements HttpClient {
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;

  constructor(dispatcher: Dispatcher, origin: string) {
    this.#dispatcher = dispatcher;
    this.#origin = origin;
  }

  send(request: Request): Promise<Answer> {
    const { method, path, headers, body } = request;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const exchange = new Exchange(request, resolve, reject);
    this.#dispatcher.dispatch({ origin: this.#origin, path, method, headers, body }, exchange);
    return promise;
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: Request;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #head: Omit<Answer, 'text'> | undefined;
  #body: AnswerBody | undefined;

  constructor(request: Request, resolve: (answer: Answer) => void, reject: (error: unknown) => void) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    request.ending.onEnd = () => this.#cut();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { ending, onWritten } = this.#request;
    if (ending.reason) {
      controller.abort(ending.reason);
      return;
    }
    this.#controller = controller;
    onWritten();
  }

  onResponseStart(_controller: unknown, statusCode: number, headers: IncomingHttpHeaders): void {
    if (statusCode < 200) return;
    this.#head = { statusCode, headers };
    this.#body = new AnswerBody(this.#head, this.#request.keepBytes);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body!.take(chunk)) return;
    this.#end();
    controller.abort(new Error('the answer is too long'));
  }

  onResponseEnd(): void {
    this.#end();
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#end(error);
  }

  /** Also where the request still waits for a connection, and undici would tell of it only then. */
  #cut(): void {
    const { reason } = this.#request.ending;
    this.#end(reason);
    this.#controller?.abort(reason!);
  }

  #end(error?: unknown): void {
    if (this.#head) this.#resolve({ ...this.#head, text: this.#body!.text });
    else this.#reject(error);
  }
}
