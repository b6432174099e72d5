import { OperationalError } from '@genesys-kafka/resilience';

/** What every error of a call carries: the operation, the host and, where there was an answer, how to find it again. */
export interface CallFacts {
  readonly [fact: string]: string | number | boolean;
  readonly operation: string;
  readonly host: string;
}

/** Genesys' support finds a call by its correlation id. */
function reference(facts: CallFacts): string {
  return facts.correlationId === undefined ? '' : ` [ININ-Correlation-Id ${facts.correlationId}]`;
}

/** One or more settings make no sense; the message lists them all. */
export class GenesysSettingsError extends OperationalError {
  constructor(problems: readonly string[]) {
    super('genesys-settings', `The Genesys settings cannot be used: ${problems.join('; ')}.`, { scope: 'usage' });
  }
}

/** The login host refused the client id or secret. */
export class LoginFailedError extends OperationalError {
  constructor(facts: CallFacts, reason: string) {
    super(
      'login-failed',
      `${facts.host} refused the login (${reason}): check the client id and the client secret, that the OAuth client ` +
        `has the grant type "Client Credentials", and that it belongs to this region.${reference(facts)}`,
      { details: facts },
    );
  }
}

/** A token that had just been fetched was refused. */
export class TokenRefusedError extends OperationalError {
  constructor(facts: CallFacts) {
    super(
      'token-refused',
      `${facts.host} refused a fresh token for ${facts.operation} (401 twice): check that the API and the login ` +
        `address belong to the same region and that the OAuth client is still enabled.${reference(facts)}`,
      { details: facts },
    );
  }
}

/** The token is good, its roles are not enough. */
export class PermissionMissingError extends OperationalError {
  constructor(facts: CallFacts, permission: string) {
    super(
      'permission-missing',
      `${facts.host} does not allow ${facts.operation} (403): give the OAuth client a role with the permission ` +
        `${permission}, for every division whose conversations are wanted.${reference(facts)}`,
      { details: { ...facts, permission } },
    );
  }
}

/** The name did not resolve. Retried, as a resolver may be down; a host never reached is given up early. */
export class HostNotFoundError extends OperationalError {
  constructor(facts: CallFacts, cause: unknown) {
    super(
      'host-not-found',
      `The host ${facts.host} was not found (DNS): check the spelling of the Genesys region or address, and this ` +
        "machine's name resolution.",
      { retry: true, details: facts, cause },
    );
  }
}

/** No connection could be made, or it broke. */
export class ConnectionError extends OperationalError {
  constructor(facts: CallFacts, reason: string, cause?: unknown) {
    super(
      'connection-failed',
      `The connection to ${facts.host} failed during ${facts.operation} (${reason}): check network, firewall and proxy.`,
      { retry: true, details: { ...facts, reason }, cause },
    );
  }
}

/** The proxy did not let the connection through. */
export class ProxyError extends OperationalError {
  constructor(facts: CallFacts, status: number | undefined, cause: unknown) {
    const answer = status === undefined ? 'no tunnel was made' : `it answered ${status}`;
    super(
      'proxy-failed',
      `The proxy did not connect to ${facts.host} (${answer}): check HTTPS_PROXY and its login, or add the host to ` +
        'NO_PROXY.',
      { retry: status === undefined || status >= 500, details: facts, cause },
    );
  }
}

/** The certificate or the handshake failed. Never retried, never waved through. */
export class TlsError extends OperationalError {
  constructor(facts: CallFacts, reason: string, cause: unknown) {
    super(
      'tls-failed',
      `No trusted TLS connection to ${facts.host} (${reason}): if a proxy or gateway of yours re-signs traffic, give ` +
        'its certificate authority as custom CA; otherwise check the address.',
      { details: { ...facts, reason }, cause },
    );
  }
}

/** Nothing, or too little, came for too long. */
export class GenesysTimeoutError extends OperationalError {
  constructor(facts: CallFacts, what: string, cause?: unknown) {
    super('timeout', `${facts.host} was too slow during ${facts.operation}: ${what}.`, {
      retry: true,
      details: facts,
      cause,
    });
  }
}

/** Retries are spent on 429, or Genesys named a longer wait than a call may take. */
export class RateLimitedError extends OperationalError {
  constructor(facts: CallFacts, retryAfterMs: number) {
    super(
      'rate-limited',
      `${facts.host} still limits the request rate during ${facts.operation} (429): try again in ` +
        `${Math.ceil(retryAfterMs / 1000)} s, lower the requests per second, or ask Genesys for a higher limit.` +
        reference(facts),
      { retry: true, retryAfterMs, details: facts },
    );
  }
}

/** Retries are spent on 5xx and the like. */
export class ServerError extends OperationalError {
  constructor(facts: CallFacts, status: number) {
    super(
      'server-error',
      `${facts.host} answered ${status} to ${facts.operation} again and again: the fault is on Genesys' side or ` +
        `between. Try again later.${reference(facts)}`,
      { retry: true, details: facts },
    );
  }
}

/** The request itself is refused; `reason` is Genesys' message code and template, never its filled-in text. */
export class BadRequestError extends OperationalError {
  constructor(facts: CallFacts, status: number, reason: string) {
    super(
      'bad-request',
      `${facts.host} refused ${facts.operation} (${status}, ${reason}): check the query, its interval and its filters.` +
        reference(facts),
      { details: facts },
    );
  }
}

/** The job is not (or no longer) known to Genesys. */
export class JobGoneError extends OperationalError {
  constructor(facts: CallFacts, jobId: string, reason: string) {
    super(
      'job-gone',
      `Genesys no longer has job ${jobId} (${reason}): its results have expired or it was deleted. ` +
        `A new job for the same window is needed.${reference(facts)}`,
      { scope: 'source', details: { ...facts, jobId } },
    );
  }
}

/** The job may be there, the cursor into its results is not accepted. */
export class CursorRefusedError extends OperationalError {
  constructor(facts: CallFacts, jobId: string, reason: string) {
    super(
      'cursor-refused',
      `Genesys refused the saved position in the results of job ${jobId} (400, ${reason}): cursors expire. ` +
        `A new job for the same window is needed.${reference(facts)}`,
      { scope: 'source', details: { ...facts, jobId } },
    );
  }
}

/** An answer that is not what the contract says: not JSON, a field missing, an encoding nobody asked for. */
export class BadAnswerError extends OperationalError {
  constructor(facts: CallFacts, what: string, options: { readonly retry?: boolean; readonly cause?: unknown } = {}) {
    super(
      'bad-answer',
      `${facts.host} gave an unusable answer to ${facts.operation}: ${what}. Check that the address is the Genesys ` +
        `API and that nothing in between rewrites answers.${reference(facts)}`,
      { scope: 'source', details: facts, ...options },
    );
  }
}

/** An answer longer than its cap. */
export class AnswerTooLargeError extends OperationalError {
  constructor(facts: CallFacts, maxBytes: number) {
    super(
      'answer-too-large',
      `The answer of ${facts.host} to ${facts.operation} is larger than ${maxBytes} bytes: use a smaller page size, ` +
        'or raise the limit if the memory is there.',
      { scope: 'source', details: { ...facts, maxBytes } },
    );
  }
}
