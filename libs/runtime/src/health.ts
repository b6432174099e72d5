import { RuntimeError } from './errors.ts';
import type { Metrics } from './metrics.ts';
import { redactJson, redactText } from './redaction.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, one short sentence each; shown to whoever asks, so without secrets or data. */
  readonly reasons: readonly string[];
  /** What is worth seeing and does not change readiness; texts are redacted like reasons. */
  readonly status?: object;
}

export interface HealthOptions {
  /** 0: no server. */
  readonly port: number;
  /** Address to listen on. Nothing here is authenticated. */
  readonly host: string;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Whether work is being done: connected, assigned, not stuck. */
  readonly ready: () => Readiness;
  /** False only where nothing but a restart helps. */
  readonly live?: () => boolean;
  /** Once it aborts, readiness is down whatever `ready` says, while the rest is still closing. */
  readonly signal?: AbortSignal;
}

export interface HealthServer extends AsyncDisposable {
  /** Where it listens: `http://127.0.0.1:9464`. */
  readonly url: string;
}

/**
 * Serves `/livez`, `/readyz` (200 or 503, JSON) and `/metrics` (Prometheus) until disposed of. Resolves with undefined
 * where the port is 0. Rejects with `http-port-unavailable` where it cannot listen.
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer | undefined> {
  const { host, port } = options;
  if (port === 0) return undefined;
  // Most commands run without it, and it is slow to load.
  const { fastify } = await import('fastify');
  // Connections are cut on closing: a scraper's kept-alive one must not hold up the process.
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.get('/livez', async (_request, reply) => {
    const live = options.live?.() ?? true;
    return reply.code(live ? 200 : 503).send({ live });
  });
  server.get('/readyz', async (_request, reply) => {
    const answer = readiness(options);
    return reply.code(answer.ready ? 200 : 503).send(answer);
  });
  server.get('/metrics', async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.text()),
  );
  server.setErrorHandler(async (_error, _request, reply) => reply.code(500).send({ error: 'internal error' }));
  try {
    const url = await server.listen({ host, port });
    return { url, [Symbol.asyncDispose]: () => server.close() };
  } catch (error) {
    await server.close();
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new RuntimeError('http-port-unavailable', `Cannot serve health and metrics on ${host}:${port} (${code}).`, {
      cause: error,
    });
  }
}

function readiness({ ready, signal }: HealthOptions): Readiness {
  if (signal?.aborted) return { ready: false, reasons: ['shutting down'] };
  try {
    const { ready: isReady, reasons, status } = ready();
    const told = { ready: isReady, reasons: reasons.map((reason) => redactText(reason)) };
    return status === undefined ? told : { ...told, status: redactJson(status) as object };
  } catch {
    return { ready: false, reasons: ['the readiness check itself failed'] };
  }
}
