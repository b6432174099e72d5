import { Readable } from 'node:stream';
import { connections, type Proxy } from '@genesys-kafka/http/connections';

/** What is read of the SDK's requests. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly response: {
    readonly statusCode: number;
    readonly reason: string;
    readonly headers: Record<string, string>;
    readonly body: Readable;
  };
}

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
/** What is sent is on its way for as long as this takes, before anybody can answer it: half a megabit a second. */
const SLOWEST_BYTES_PER_MS = 64;
/** A page of a listing has a thousand keys of a kilobyte at most; an object that this program wrote is smaller still. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * The SDK's requests over the connections that all our HTTP clients share: proxy, certificates and limits are the same.
 * For listings, objects of our own and other small answers, which are sent and read whole; foreign objects are
 * downloaded otherwise.
 */
export class RequestHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #connections: ReturnType<typeof connections>;
  readonly #answerTimeoutMs: number;

  constructor(proxy: Proxy | undefined, maxConnections: number, answerTimeoutMs = ANSWER_TIMEOUT_MS) {
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#connections = connections({
      proxy,
      connections: maxConnections,
      allowH2: false,
      connectTimeout: CONNECT_TIMEOUT_MS,
      bodyTimeout: answerTimeoutMs,
    });
  }

  async handle(request: SdkRequest, options: { readonly abortSignal?: unknown } = {}): Promise<SdkResponse> {
    const { body: sent } = request;
    const isWhole = sent === undefined || typeof sent === 'string' || sent instanceof Uint8Array;
    if (!isWhole) throw new Error('only what is in memory is written to the storage');
    const { host, ...headers } = request.headers;
    const {
      statusCode,
      headers: answered,
      body,
    } = await this.#connections.request({
      origin: `${request.protocol}//${host ?? hostOf(request)}`,
      path: request.path + queryOf(request),
      method: request.method,
      headers,
      body: sent ?? null,
      headersTimeout: this.#answerTimeoutMs + Math.ceil((sent?.length ?? 0) / SLOWEST_BYTES_PER_MS),
      signal: options.abortSignal instanceof AbortSignal ? options.abortSignal : null,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES)
        throw new Error(`an answer of the storage is larger than ${MAX_ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
    const names = Object.entries(answered).map(([name, value]) => [name, String(value)]);
    return {
      response: {
        statusCode,
        reason: '',
        headers: Object.fromEntries(names) as Record<string, string>,
        body: Readable.from(chunks),
      },
    };
  }

  async close(): Promise<void> {
    await this.#connections.destroy();
  }
}

function hostOf({ hostname, port }: SdkRequest): string {
  return port === undefined ? hostname : `${hostname}:${port}`;
}

/** As it was signed: each name and value percent-encoded, but for RFC 3986's unreserved characters. */
function queryOf({ query = {} }: SdkRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === null ? [encoded(name)] : [value].flat().map((one) => `${encoded(name)}=${encoded(one)}`),
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
