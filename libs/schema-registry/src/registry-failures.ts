import { Response } from 'mappersmith';
import { SchemaRegistryError } from './errors.ts';

export interface RegistryContext {
  readonly doing: string;
  /** Without credentials and query. */
  readonly url: string;
  readonly subject?: string;
  readonly mode?: 'auto' | 'require-registered';
  readonly schemaId?: number;
}

interface Failure {
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  readonly reason: string;
  /** The registry's own, in the body of its answer; what stands before it (a proxy, an ingress) has none. */
  readonly errorCode?: number;
}

/** "Schema not found" in Confluent's API. */
const SCHEMA_NOT_FOUND = 40403;

/** Of what breaks a connection the client keeps the text alone: Node's of certificates, OpenSSL's of handshakes. */
const TLS_TEXT = /^(?!getaddrinfo |connect )[^<]*(?:certificate|SSL routines)/;

/** The parsed answer of a successful request, or its text where that is not JSON. */
export function answerOf(response: Response): unknown {
  return response.data<unknown>();
}

/** Failures of the registry client and of mappersmith, as `SchemaRegistryError`s that say what to do. */
export function toRegistryError(error: unknown, context: RegistryContext): SchemaRegistryError {
  if (error instanceof SchemaRegistryError) return error;
  if (error instanceof SyntaxError) {
    return new SchemaRegistryError('schema-invalid', `The schema of ${context.subject ?? '?'} is not JSON.`, {
      cause: error,
    });
  }
  const failure = failureIn(error);
  const { status, reason } = failure;
  const what = `The schema registry at ${context.url} could not ${context.doing}: ${reason.replace(/\.$/, '')}.`;
  const details = status === undefined ? {} : { httpStatus: status };
  return new SchemaRegistryError(codeFor(failure, context), what, { cause: error, details });
}

function codeFor(
  { status, reason, errorCode }: Failure,
  { mode, schemaId }: RegistryContext,
): SchemaRegistryError['code'] {
  if (status === undefined && TLS_TEXT.test(reason)) return 'tls-failed';
  if (status === undefined || status >= 500 || status === 408 || status === 429) return 'registry-unreachable';
  if (status === 401) return 'registry-authentication-failed';
  if (status === 403) return 'registry-authorization-failed';
  if (status === 404 && mode === 'require-registered') return 'schema-not-registered';
  if (status === 404 && schemaId !== undefined && errorCode === SCHEMA_NOT_FOUND) return 'unknown-schema-id';
  if (status === 409) return 'schema-incompatible';
  if (status === 422) return 'schema-invalid';
  return 'registry-failed';
}

/**
 * The status behind an error. mappersmith reports a connection that failed as status 400 with Node's message in place
 * of a registry's `{error_code, message}`; the registry client turns that into "… Error, status 400: <message>".
 */
function failureIn(error: unknown): Failure {
  if (error instanceof Response) {
    const data = answerOf(error as Response) as Partial<Record<'message' | 'error_code', unknown>> | string | null;
    const body = typeof data === 'object' && data !== null ? data : {};
    const told = typeof body.message === 'string' ? body.message : undefined;
    if (error.error()) return { status: undefined, reason: error.error()?.message ?? 'no answer' };
    const errorCode = typeof body.error_code === 'number' ? { errorCode: body.error_code } : {};
    return { status: error.status(), reason: told ?? `HTTP status ${error.status()}`, ...errorCode };
  }
  if (!(error instanceof Error)) return { status: undefined, reason: String(error) };
  const { status } = error as Error & { status?: unknown };
  const reason = error.message.replace(/^genesys-kafka - /, '');
  const lost = /^Error, status 400: (.*)/s.exec(reason)?.[1];
  if (lost !== undefined) return { status: undefined, reason: lost };
  if (typeof status === 'number') return { status, reason: firstLine(reason) };
  // The client replaces a 404 of a schema lookup by an error without status.
  if (error.constructor.name === 'ConfluentSchemaRegistryError') return { status: 404, reason: firstLine(reason) };
  return { status: undefined, reason: firstLine(reason) };
}

/** A proxy's HTML page is not for a log. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 300);
}
