import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { AnswerBody, type Answer, type HttpClient, type Post } from './http-client.ts';
import type { HttpTarget } from './http-options.ts';

/**
 * Posts by undici's `dispatch`. Its `request` makes a stream of each answer and takes half as long again, for bodies of
 * which nothing is wanted but their end.
 */
export class UndiciClient implements HttpClient {
  readonly #dispatcher: Dispatcher;
  readonly #target: HttpTarget;

  constructor(dispatcher: Dispatcher, target: HttpTarget) {
    this.#dispatcher = dispatcher;
    this.#target = target;
  }

  post(post: Post): Promise<Answer> {
    const { origin, path } = this.#target;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const exchange = new Exchange(post, resolve, reject);
    this.#dispatcher.dispatch({ origin, path, method: 'POST', headers: post.headers, body: post.body }, exchange);
    return promise;
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #post: Post;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #head: Omit<Answer, 'text'> | undefined;
  #body: AnswerBody | undefined;

  constructor(post: Post, resolve: (answer: Answer) => void, reject: (error: unknown) => void) {
    this.#post = post;
    this.#resolve = resolve;
    this.#reject = reject;
    post.ending.onEnd = () => this.#cut();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { ending, onWritten } = this.#post;
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
    this.#body = new AnswerBody(statusCode);
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
    const { reason } = this.#post.ending;
    this.#end(reason);
    this.#controller?.abort(reason!);
  }

  #end(error?: unknown): void {
    if (this.#head) this.#resolve({ ...this.#head, text: this.#body!.text });
    else this.#reject(error);
  }
}
