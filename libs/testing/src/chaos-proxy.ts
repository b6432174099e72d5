import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FaultyPipe, type LinkFaults } from './faulty-pipe.ts';

export interface ProxyOptions {
  /** `host:port` of the server. */
  readonly target: string;
  /** Loopback and a free port by default. */
  readonly listen?: { readonly host?: string; readonly port?: number };
  /**
   * Sees every chunk before it goes on, may write into its bytes, and decides: `forward` (also undefined), `drop` (this and all that follows in
   * this direction) or `reset` the connection. Chunks are as TCP hands them over, not messages.
   */
  readonly onChunk?: (chunk: ProxyChunk) => ChunkVerdict | undefined;
}

export type Direction = 'toTarget' | 'toClient';
export type ChunkVerdict = 'forward' | 'drop' | 'reset';

export interface ProxyChunk {
  readonly direction: Direction;
  readonly bytes: Buffer;
  /** Counts the proxy's connections from 0. */
  readonly connection: number;
}

export type ProxyFaults = Partial<Record<Direction, LinkFaults>>;

/** A TCP proxy that misbehaves on command. Faults hold for open connections and for later ones. */
export interface ChaosProxy extends AsyncDisposable {
  /** `host:port` where it listens. */
  readonly address: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Sets the faults of the directions named; the others stay. */
  set(faults: ProxyFaults): void;
  /** From now on nothing passes, not even a close, while connections stay open and new ones are accepted. */
  halfOpen(): void;
  /** From now on this one sees the chunks, in the place of whoever did; undefined: nobody. */
  watch(onChunk: ProxyOptions['onChunk']): void;
  /** Ends every open connection with a TCP reset, on both sides. */
  resetAll(): void;
  /** Refuses (true) or accepts again (false) new connections: a refused one is reset at once. */
  refuse(refused: boolean): void;
  /** Takes all faults away. A connection that has lost bytes is reset: TCP never delivers a stream with a hole. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts a proxy in this process. */
export async function startProxy(options: ProxyOptions): Promise<ChaosProxy> {
  const host = options.listen?.host ?? '127.0.0.1';
  const links = new Links(options);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => links.accept(client));
  const listening = Promise.withResolvers<undefined>();
  server.once('error', listening.reject);
  server.listen({ host, port: options.listen?.port ?? 0 }, () => listening.resolve(undefined));
  await listening.promise;
  // A forgotten proxy does not keep a test alive.
  server.unref();
  const { port } = server.address() as AddressInfo;
  const close = async () => closeServer(server, links);
  return {
    address: `${host}:${port}`,
    port,
    get connections() {
      return links.open.size;
    },
    set: (faults) => links.set(faults),
    halfOpen: () => links.set({ toTarget: { drop: true }, toClient: { drop: true } }),
    watch: (onChunk) => {
      links.onChunk = onChunk;
    },
    resetAll: () => links.resetAll(),
    refuse: (refused) => {
      links.refused = refused;
    },
    heal: () => links.heal(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function closeServer(server: Server, links: Links): Promise<void> {
  const closed = Promise.withResolvers<undefined>();
  server.close(() => closed.resolve(undefined));
  links.resetAll();
  await closed.promise;
}

/** The proxy's connections and the faults they share. */
class Links {
  readonly open = new Set<Link>();
  refused = false;
  onChunk: ProxyOptions['onChunk'];
  readonly #options: ProxyOptions;
  readonly #faults: Record<Direction, LinkFaults> = { toTarget: {}, toClient: {} };
  #count = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.onChunk = options.onChunk;
  }

  accept(client: Socket): void {
    const connection = this.#count;
    this.#count += 1;
    if (this.refused) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const separator = this.#options.target.lastIndexOf(':');
    const target = connect({
      host: this.#options.target.slice(0, separator),
      port: Number(this.#options.target.slice(separator + 1)),
      allowHalfOpen: true,
      noDelay: true,
    });
    const link = new Link(client, target, this.#faults, (direction, bytes) =>
      this.onChunk?.({ direction, bytes, connection }),
    );
    this.open.add(link);
    link.onClosed(() => this.open.delete(link));
  }

  set(faults: ProxyFaults): void {
    for (const direction of ['toTarget', 'toClient'] as const) {
      const own = faults[direction];
      if (own === undefined) continue;
      this.#faults[direction] = own;
      for (const link of this.open) link.pipes[direction].set(own);
    }
  }

  heal(): void {
    this.refused = false;
    this.set({ toTarget: {}, toClient: {} });
    for (const link of this.open) if (link.hasLostBytes) link.reset();
  }

  resetAll(): void {
    for (const link of this.open) link.reset();
  }
}

/** One client's connection and the one made for it. */
class Link {
  readonly pipes: Record<Direction, FaultyPipe>;
  readonly #sockets: readonly [Socket, Socket];

  constructor(
    client: Socket,
    target: Socket,
    faults: Record<Direction, LinkFaults>,
    judge: (direction: Direction, bytes: Buffer) => ChunkVerdict | undefined,
  ) {
    this.#sockets = [client, target];
    const pipe = (direction: Direction, from: Socket, to: Socket) =>
      new FaultyPipe(from, to, faults[direction], (bytes) => {
        const verdict = judge(direction, bytes) ?? 'forward';
        if (verdict === 'reset') this.reset();
        return verdict === 'forward';
      });
    this.pipes = { toTarget: pipe('toTarget', client, target), toClient: pipe('toClient', target, client) };
    // A broken side breaks the other, unless the link is half-open: then the other is not to know.
    client.on('error', () => this.#broken('toTarget'));
    target.on('error', () => this.#broken('toClient'));
  }

  get hasLostBytes(): boolean {
    return this.pipes.toTarget.hasLostBytes || this.pipes.toClient.hasLostBytes;
  }

  /** Calls back once both sides are closed. */
  onClosed(callback: () => void): void {
    let open = 2;
    for (const socket of this.#sockets) {
      socket.once('close', () => {
        open -= 1;
        if (open === 0) callback();
      });
    }
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #broken(direction: Direction): void {
    if (!this.pipes[direction].drops) this.reset();
    else this.pipes[direction].lose();
  }
}
