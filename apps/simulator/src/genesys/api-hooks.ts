import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { faultOf } from '../faults/fault-hooks.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { Refusals } from '../limits/refusals.ts';
import { ApiError, errorBody } from './error-body.ts';
import type { Tokens } from './tokens.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A bearer token is needed whose client has one of these. Absent: the route is open. */
    anyPermissionOf?: readonly string[];
  }
}

export interface ApiHooksOptions {
  readonly tokens: Tokens;
  readonly rateLimit: RateLimit;
  readonly refusals: Refusals;
  readonly permissions: ReadonlySet<string>;
}

/** What the platform does to every request: correlation id, token, rate limit, permission, error bodies. */
export function addApiHooks(server: FastifyInstance, options: ApiHooksOptions): void {
  server.addHook('onRequest', async (request, reply) => {
    const needed = request.routeOptions.config.anyPermissionOf;
    if (!needed) return;
    const token = bearerToken(request);
    if (faultOf(request, 'revoke-token')) options.tokens.revoke(token);
    if (!options.tokens.isGood(token)) throw new ApiError(401, 'bad.credentials', 'Invalid login credentials.');
    countAgainstRate(reply, options, token);
    if (needed.length > 0 && !needed.some((permission) => options.permissions.has(permission))) {
      const message = `Unable to perform the requested action. You must have at least one of the following permissions assigned: [${needed.join(', ')}]`;
      throw new ApiError(403, 'missing.any.permissions', message);
    }
  });

  server.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    if (error instanceof ApiError) {
      return sendError(reply.headers(error.headers), error.status, error.message, error.code);
    }
    // Fastify's own: a body that is no JSON, too large, or of another type.
    return sendError(reply, error.statusCode ?? 500, error.message);
  });
  server.setNotFoundHandler((_request, reply) => sendError(reply, 404, 'The requested resource was not found.'));
}

/** The official SDK sends `application/json` without a body with GET and DELETE; Fastify's own parser refuses that. */
export function addJsonParser(server: FastifyInstance): void {
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: FastifyRequest, text: string) => {
      if (text === '') return undefined;
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new ApiError(400, 'bad.request', 'The request could not be understood: its body is not JSON.');
      }
    },
  );
}

/** Every answer bears the id that support asks for; made-up answers too, so this goes in before the faults. */
export function addCorrelationId(server: FastifyInstance): void {
  server.addHook('onRequest', async (_request, reply) => {
    void reply.header('inin-correlation-id', randomUUID());
  });
}

function sendError(reply: FastifyReply, status: number, message: string, code?: string): FastifyReply {
  return reply
    .code(status)
    .type('application/json')
    .send(errorBody(status, message, code));
}

/** @throws ApiError 401 where there is none. */
export function bearerToken(request: FastifyRequest): string {
  const match = /^bearer (\S+)$/i.exec(request.headers.authorization ?? '');
  if (match?.[1]) return match[1];
  throw new ApiError(
    401,
    'authentication.required',
    'No authentication bearer token specified in authorization header.',
  );
}

function countAgainstRate(reply: FastifyReply, { rateLimit, refusals }: ApiHooksOptions, token: string): void {
  const { count, allowed, resetSeconds, exceeded } = rateLimit.count(token);
  void reply.headers({
    'inin-ratelimit-count': String(count),
    'inin-ratelimit-allowed': String(allowed),
    'inin-ratelimit-reset': String(resetSeconds),
  });
  if (exceeded) throw refusals.refuse('token-rate', token, resetSeconds);
  refusals.pass('token-rate', token);
}
