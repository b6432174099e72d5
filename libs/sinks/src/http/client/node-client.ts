import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { TLS, type ClientTls } from '@genesys-kafka/http';
import { AnswerBody, type Answer, type HttpClient, type Request } from './http-client.ts';
import type { HttpTarget } from '../http-options.ts';

/** What undici says when a target sends `100 Continue` unasked: it cuts the connection before the answer itself. */
export function isUnaskedContinue(error: unknown): boolean {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  return name === 'SocketError' && code === 'UND_ERR_SOCKET' && message === 'bad response';
}

/**
 * Sends by Node's own client, which passes over a `100 Continue`, with kept connections and the same TLS. For targets
 * that undici cannot talk to; it knows no proxy.
 */
export class NodeClient implements HttpClient {
  readonly #target: HttpTarget;
  readonly #agent: HttpAgent;

  constructor(target: HttpTarget, connections: number, tls: ClientTls = {}) {
    const limits = { keepAlive: true, maxSockets: connections };
    this.#target = target;
    this.#agent = target.secure ? new HttpsAgent({ ...limits, ...TLS, ...tls }) : new HttpAgent(limits);
  }

  async send({ method, path, headers, body, keepBytes, ending, onWritten }: Request): Promise<Answer> {
    const { hostname, port, secure } = this.#target;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const abort = new AbortController();
    ending.onEnd = () => abort.abort(ending.reason);
    const onClose = () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    const options = { hostname, port, path, method, headers, agent: this.#agent, signal: abort.signal };
    const request = secure ? requestHttps(options) : requestHttp(options);
    request.on('response', resolve);
    request.on('error', reject);
    // It may end without either, as when the target switches to another protocol.
    request.on('close', onClose);
    request.on('finish', onWritten);
    request.end(body);
    const message = await promise;
    const head = { statusCode: message.statusCode!, headers: message.headers };
    return { ...head, text: await textOf(message, new AnswerBody(head, keepBytes)) };
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }
}

async function textOf(message: IncomingMessage, body: AnswerBody): Promise<string> {
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) if (!body.take(chunk)) break;
  } catch {
    // What has been read counts.
  }
  return body.text;
}
