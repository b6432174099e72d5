import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { TLS } from '@genesys-kafka/http';
import { unlessAborted } from '@genesys-kafka/resilience';
import type { ClientBase, Pool, PoolClient } from 'pg';
import { leavesConnection } from './postgres-failure.ts';
import type { PostgresTarget } from './postgres-options.ts';

/** Idle ones are closed after this: a server has few to give away. */
const IDLE_MS = 60_000;
/** Notices a server that is gone without a word, and keeps firewalls from forgetting an idle connection. */
const KEEP_ALIVE_MS = 10_000;
/** How long the server may take to close a request to cancel. */
const CANCEL_MS = 2000;
const CANCEL_REQUEST_CODE = 80_877_102;

interface ConnectionLimits {
  readonly max: number;
  /** Of one use, connecting included. */
  readonly timeoutMs: number;
}

/** At most so many connections to one server, opened when they are needed. */
export class Connections {
  readonly #target: PostgresTarget;
  readonly #limits: ConnectionLimits;
  #pool: Promise<Pool> | undefined;

  constructor(target: PostgresTarget, limits: ConnectionLimits) {
    this.#target = target;
    this.#limits = limits;
  }

  /**
   * Lends a connection. Rejects with what `use` rejects with, with the signal's reason, or with ETIMEDOUT; where it ends
   * before `use` does, the server is asked to cancel the statement, and the connection is closed.
   */
  async run<T>(signal: AbortSignal, use: (client: ClientBase) => Promise<T>): Promise<T> {
    const limit = AbortSignal.timeout(this.#limits.timeoutMs);
    const ending = AbortSignal.any([signal, limit]);
    let client: PoolClient | undefined;
    try {
      client = await this.#lend(ending);
      const result = await unlessAborted(use(client), ending);
      client.release();
      return result;
    } catch (error) {
      if (client && ending.aborted) void this.#cancel(client);
      else client?.release(!leavesConnection(error));
      signal.throwIfAborted();
      throw limit.aborted ? Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }) : error;
    }
  }

  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    this.#pool = undefined;
    await pool?.end();
  }

  async #lend(ending: AbortSignal): Promise<PoolClient> {
    const pool = await unlessAborted(this.#open(), ending);
    const lending = pool.connect();
    try {
      return await unlessAborted(lending, ending);
    } catch (error) {
      lending.then(
        (late) => late.release(),
        () => undefined,
      );
      throw error;
    }
  }

  /** Loaded with the first statement: a consumer without such a sink does not pay for it. */
  #open(): Promise<Pool> {
    this.#pool ??= this.#create().catch((error: unknown) => {
      this.#pool = undefined;
      throw error;
    });
    return this.#pool;
  }

  async #create(): Promise<Pool> {
    const { host, port, user, password = '', database, tls } = this.#target;
    const { default: pg } = await import('pg');
    const [cert, key] = await Promise.all([tls?.certFile, tls?.keyFile].map(async (path) => path && readFile(path)));
    const pool = new pg.Pool({
      ...{ host, port, user, database, max: this.#limits.max },
      // A function: with a text that is empty `pg` would look for one in the environment and in files.
      password: () => password,
      ssl: tls ? { ...TLS, ...(cert && key ? { cert, key } : {}) } : false,
      application_name: 'genesys-kafka',
      // Ends what nobody waits for any more: whoever waits is told by then.
      connectionTimeoutMillis: this.#limits.timeoutMs + 1000,
      idleTimeoutMillis: IDLE_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    });
    // Whoever uses the connection is told by its statement; one that nobody uses is gone from the pool by then.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    return pool;
  }

  /**
   * Asks for the end of a connection's statement as libpq does, on a connection of its own, and closes the connection
   * once the server has taken note: a pooler knows the statement no more when its client is gone.
   */
  async #cancel(client: PoolClient): Promise<void> {
    const { processID, secretKey } = client as unknown as Record<'processID' | 'secretKey', number | null>;
    if (processID === null || secretKey === null) {
      client.release(true);
      return;
    }
    const request = Buffer.alloc(16);
    [16, CANCEL_REQUEST_CODE, processID, secretKey].forEach((word, index) => request.writeInt32BE(word, index * 4));
    const socket = connect({ host: this.#target.host, port: this.#target.port });
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.setTimeout(CANCEL_MS, () => socket.destroy());
    socket.write(request);
    // Nothing is answered; the server closes.
    socket.resume();
    await closed.catch(() => undefined);
    client.release(true);
  }
}
