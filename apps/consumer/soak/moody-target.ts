import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sample } from '../fixtures/bus.ts';

/** `cut`: it takes what it is sent, and its answers are lost. */
export const MOODS = ['busy', 'down', 'slow', 'cut'] as const;
export type Mood = (typeof MOODS)[number];

const SLOW_MS = 400;
/** One record of so many is refused until the target is mended. */
const REFUSED_SHARE = 150;

/** A real HTTP target of single records and of NDJSON, which remembers in which order it took what, by path. */
export class MoodyTarget implements AsyncDisposable {
  readonly taken = new Map<string, Sample[]>();
  readonly moods = new Map<string, Mood>();
  /** Paths whose records are never refused for what they are. */
  readonly #meek: ReadonlySet<string>;
  readonly #server: Server;
  #isMended = false;

  private constructor(server: Server, meek: readonly string[]) {
    this.#server = server;
    this.#meek = new Set(meek);
  }

  static async listen(meek: readonly string[]): Promise<MoodyTarget> {
    const server = createServer();
    const target = new MoodyTarget(server, meek);
    server.on('request', (request, response) => {
      target.#answer(request, response).catch(() => request.socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return target;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on it takes everything. */
  mend(): void {
    this.#isMended = true;
    this.moods.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const path = request.url!;
    const mood = this.moods.get(path);
    if (mood === 'busy') return void response.writeHead(429, { 'retry-after': '1' }).end();
    if (mood === 'down') return void response.writeHead(503).end();
    if (mood === 'slow') await delay(SLOW_MS);
    const samples = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Sample);
    if (!this.#isMended && !this.#meek.has(path) && samples.some(isRefused)) return void response.writeHead(422).end();
    const taken = this.taken.get(path) ?? [];
    taken.push(...samples);
    this.taken.set(path, taken);
    if (mood === 'cut') request.socket.destroy();
    else response.writeHead(204).end();
  }
}

function isRefused({ conversationId, n }: Sample): boolean {
  return createHash('sha256').update(`${conversationId} ${n}`).digest().readUInt32BE(0) % REFUSED_SHARE === 0;
}
