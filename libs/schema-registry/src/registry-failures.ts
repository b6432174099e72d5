import { Response } from 'mappersmith';
import { SchemaRegistryError, type SchemaRegistryErrorCode } from './errors.ts';

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
}

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
  const { status, reason } = failureIn(error);
  const [code, retry, advice] = verdict(status, context);
  return new SchemaRegistryError(
    code,
    `The schema registry at ${context.url} could not ${context.doing}: ${reason.replace(/\.$/, '')}. ${advice}`,
    { retry, cause: error, ...(status === undefined ? {} : { details: { httpStatus: status } }) },
  );
}

function verdict(
  status: number | undefined,
  { subject = '', mode, schemaId }: RegistryContext,
): readonly [code: SchemaRegistryErrorCode, retry: boolean, advice: string] {
  if (status === undefined) {
    return ['registry-unreachable', true, 'Check SCHEMA_REGISTRY_URL and that the registry runs.'];
  }
  if (status === 401) {
    return ['registry-authentication-failed', false, 'Check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD.'];
  }
  if (status === 403) {
    const advice =
      mode === 'auto'
        ? `Grant this login write access to ${subject}, or register the schema beforehand and set schema.register: require-registered.`
        : 'Grant this login read access.';
    return ['registry-authorization-failed', false, advice];
  }
  if (status === 404 && mode === 'require-registered') {
    return [
      'schema-not-registered',
      false,
      `This exact schema is not under ${subject}: register libs/conversation/schemas/conversation.schema.json as it is, or set schema.register: auto.`,
    ];
  }
  if (status === 404 && schemaId !== undefined) {
    return [
      'unknown-schema-id',
      false,
      'The record was framed with another registry’s id, or the schema was deleted for good.',
    ];
  }
  if (status === 409) {
    return [
      'schema-incompatible',
      false,
      `The subject ${subject} holds a version that this schema must not follow at the subject’s compatibility level. ` +
        'For JSON Schema with an open model set the level to FORWARD, or publish under another topic.',
    ];
  }
  if (status === 422) return ['schema-invalid', false, 'The registry does not accept this as a schema.'];
  if (status >= 500 || status === 408 || status === 429) {
    return ['registry-unreachable', true, 'The registry is there but does not work; see its log.'];
  }
  return ['registry-failed', false, 'Check the path of SCHEMA_REGISTRY_URL: Apicurio needs /apis/ccompat/v7.'];
}

/**
 * The status behind an error. mappersmith reports a connection that failed as status 400 with Node's message in place
 * of a registry's `{error_code, message}`; the registry client turns that into "… Error, status 400: <message>".
 */
function failureIn(error: unknown): Failure {
  if (error instanceof Response) {
    const data = answerOf(error as Response) as { message?: unknown } | string | undefined;
    const told = typeof data === 'object' && typeof data.message === 'string' ? data.message : undefined;
    if (error.error()) return { status: undefined, reason: error.error()?.message ?? 'no answer' };
    return { status: error.status(), reason: told ?? `HTTP status ${error.status()}` };
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
