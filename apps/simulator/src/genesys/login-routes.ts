import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Tokens } from './tokens.ts';

export interface LoginOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokens: Tokens;
}

/**
 * `POST /oauth/token`, client credentials only. The refusals are those seen of Genesys: an unknown client is 400
 * "client not found", a wrong secret 401 "authentication failed", both `invalid_client`.
 */
export function addLoginRoutes(server: FastifyInstance, options: LoginOptions): void {
  server.post('/oauth/token', { config: { operation: 'token' } }, (request, reply) => {
    const credentials = basicCredentials(request.headers.authorization);
    if (!credentials) return refuse(reply, 401, 'invalid_client', 'authentication failed');
    if (credentials.id !== options.clientId) return refuse(reply, 400, 'invalid_client', 'client not found');
    if (options.tokens.isClientRevoked || !equal(credentials.secret, options.clientSecret)) {
      return refuse(reply, 401, 'invalid_client', 'authentication failed');
    }
    if (grantType(request.body) !== 'client_credentials') {
      return refuse(reply, 400, 'unsupported_grant_type', 'grant_type must be client_credentials');
    }
    const { token, expiresInSeconds } = options.tokens.issue();
    return reply
      .header('cache-control', 'no-store')
      .send({ access_token: token, token_type: 'bearer', expires_in: expiresInSeconds });
  });
}

function refuse(reply: FastifyReply, status: number, error: string, description: string): FastifyReply {
  return reply.code(status).send({ error, description, error_description: description });
}

function basicCredentials(header: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^basic (\S+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

function grantType(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'grant_type' in body ? body.grant_type : undefined;
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
