import { randomUUID } from 'node:crypto';

/** An answer of the platform that is not a success; the error handler writes it as Genesys's ErrorBody. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Codes of errors that have no special meaning here, by status. */
const CODES: Readonly<Record<number, string>> = {
  400: 'bad.request',
  401: 'bad.credentials',
  403: 'missing.any.permissions',
  404: 'not.found',
  408: 'request.timeout',
  409: 'conflict',
  413: 'request.entity.too.large',
  415: 'unsupported.media.type',
  429: 'too.many.requests',
  500: 'internal.server.error',
  502: 'bad.gateway',
  503: 'service.unavailable',
  504: 'gateway.timeout',
};

/** Genesys's ErrorBody as JSON text (members as in the platform's specification). */
export function errorBody(status: number, message: string, code = CODES[status] ?? 'error'): string {
  return JSON.stringify({
    message,
    code,
    status,
    messageParams: {},
    contextId: randomUUID(),
    details: [],
    errors: [],
  });
}

/** The platform's sentence for a request over the rate; clients read the seconds from it where the header is missing. */
export function rateLimitMessage(seconds: number): string {
  return `Rate limit exceeded the maximum. Retry the request in [${seconds}] seconds`;
}
