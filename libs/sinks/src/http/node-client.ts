import { Agent as HttpAgent, request as requestHttp, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { TLS } from '@genesys-kafka/http';
import type { HttpTarget } from './http-options.ts';

/** An answer's head, and its body to be read to the end. */
export interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Buffer>;
}

/** What undici says when a target sends `100 Continue` unasked: it cuts the connection before the answer itself. */
export function isUnaskedContinue(error: unknown): boolean {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown };
  return name === 'SocketError' && code === 'UND_ERR_SOCKET' && message === 'bad response';
}

/**
 * Posts by Node's own client, which passes over a `100 Continue`, with kept connections and the same TLS. For targets
 * that undici cannot talk to; it knows no proxy.
 */
export class NodeClient {
  readonly #target: HttpTarget;
  readonly #agent: HttpAgent;

  constructor(target: HttpTarget, connections: number) {
    const limits = { keepAlive: true, maxSockets: connections };
    this.#target = target;
    this.#agent = target.secure ? new HttpsAgent({ ...limits, ...TLS }) : new HttpAgent(limits);
  }

  async post(
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    signal: AbortSignal,
    onWritten: () => void,
  ): Promise<Answer> {
    const { hostname, port, path, secure } = this.#target;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const options = { hostname, port, path, method: 'POST', headers, agent: this.#agent, signal };
    const request = secure ? requestHttps(options) : requestHttp(options);
    request.on('response', (message) => {
      resolve({ statusCode: message.statusCode!, headers: message.headers, body: message });
    });
    request.on('error', reject);
    request.on('finish', onWritten);
    request.end(body);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}
