import { Agent } from 'node:https';
import { within } from '@genesys-kafka/resilience';
import forge, { Response, type Middleware } from 'mappersmith';
import { BasicAuthMiddleware, RetryMiddleware, TimeoutMiddleware } from 'mappersmith/middleware';
import { SchemaRegistryError } from './errors.ts';
import type { Compatibility } from './registration.ts';
import { answerOf, toRegistryError, type RegistryContext } from './registry-failures.ts';

interface SchemaRegistryOptions {
  /** Base of Confluent's API, path included (`http://host:8080/apis/ccompat/v7` with Apicurio). */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Of one request; default 5000 ms. A call makes up to three attempts at each of its requests. */
  readonly timeoutMs?: number;
  readonly onAnswer?: OnAnswer;
  readonly proxy?: RegistryProxy | undefined;
}

/** The tunnel to a registry behind `https:`; plain `http:` never goes through it. */
export interface RegistryProxy {
  readonly url?: string | undefined;
  /** Hosts reached without it, as NO_PROXY lists them. */
  readonly bypass: readonly string[];
}

/** Shown each answer that is no failure, with the times around it, for holding clocks against each other; what it throws ends the call. */
export type OnAnswer = (answer: {
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sentMs: number;
  readonly receivedMs: number;
}) => void;

interface ResolveOptions {
  /** `<topic>-value`. */
  readonly subject: string;
  /** JSON Schema text, as it is or will be registered. */
  readonly schema: string;
  /** `auto` registers what is missing; `require-registered` only looks up. */
  readonly mode: 'auto' | 'require-registered';
  /** Set on the subject when it has no level of its own; a level that it has is left alone. */
  readonly compatibility: Compatibility;
}

export interface RegisteredSchema {
  readonly type: 'AVRO' | 'JSON' | 'PROTOBUF';
  readonly schema: string;
}

/** Every method rejects with a `SchemaRegistryError` within about three times `timeoutMs`. */
export interface SchemaRegistry {
  /** The id to frame records with. */
  resolveId(options: ResolveOptions): Promise<number>;
  /**
   * What the registry would say to a registration; registers nothing. Rejects with `schema-incompatible`; false where
   * this registry cannot be asked.
   */
  tryRegister(asked: { readonly subject: string; readonly schema: string }): Promise<boolean>;
  /** The schema with this id. `SchemaIds` keeps what was found. */
  schemaById(id: number): Promise<RegisteredSchema>;
  /** Resolves when the registry answers as one, with this login. */
  check(): Promise<void>;
}

/** Complete, each time: the client writes what it is given over defaults that all clients of the process share. */
const RETRY = {
  retries: 2,
  initialRetryTimeInSecs: 0.1,
  maxRetryTimeInSecs: 1,
  factor: 0.2,
  multiplier: 2,
  headerRetryCount: 'x-retry-count',
  headerRetryTime: 'x-retry-time',
  // A registration is idempotent, so it is tried again like a read.
  enableRetry: () => true,
  validateRetry: (response: { status(): number }) => response.status() >= 500,
};

export function createSchemaRegistry(options: SchemaRegistryOptions): SchemaRegistry {
  const { host, auth } = withoutCredentials(options);
  const timeoutMs = options.timeoutMs ?? 5000;
  const timeout = TimeoutMiddleware(timeoutMs);
  const agent = agentTo(host, options.proxy);
  // Thrown inside the client it would be taken for one more failed answer.
  const refusals: Error[] = [];
  const timed = timedBy((answer) => {
    try {
      options.onAnswer?.({ host: new URL(host).host, ...answer });
    } catch (error) {
      refusals.push(error as Error);
    }
  });
  const reads = forge({
    clientId: 'genesys-kafka',
    host,
    ignoreGlobalMiddleware: true,
    ...(agent ? { gatewayConfigs: { HTTP: { configure: () => ({ agent }) } } } : {}),
    middleware: [RetryMiddleware(RETRY), ...(auth ? [BasicAuthMiddleware(auth)] : []), timeout, timed],
    resources: {
      schemas: { byId: { path: '/schemas/ids/{id}' }, types: { path: '/schemas/types' } },
      subjects: { compatible: { method: 'post', path: '/compatibility/subjects/{subject}/versions' } },
    },
  });
  // mappersmith waits for ever for an answer whose connection ends in the middle: hence a bound from outside.
  const limitMs = 3 * timeoutMs;
  const call = async <T>(context: Omit<RegistryContext, 'url'>, work: () => Promise<T>): Promise<T> => {
    try {
      const result = await within(work(), limitMs, () => new Error(`no answer within ${limitMs} ms`));
      if (refusals[0]) throw refusals[0];
      return result;
    } catch (error) {
      if (refusals[0]) throw refusals[0];
      throw toRegistryError(error, { ...context, url: host });
    }
  };

  return {
    async resolveId({ subject, schema, mode, compatibility }) {
      const doing = `${mode === 'auto' ? 'register' : 'look up'} the schema of ${subject}`;
      return call({ doing, subject, mode }, async () => {
        // Who only reads schemas does without the client: it brings the compilers of three schema languages.
        const { createRegistration } = await import('./registration.ts');
        const registration = createRegistration({ host, retry: RETRY, middlewares: [timeout, timed], auth, agent });
        const asked = { subject, schema, compatibility };
        return idIn(await (mode === 'auto' ? registration.register(asked) : registration.lookUp(asked)));
      });
    },
    async tryRegister({ subject, schema }) {
      return call({ doing: `try the schema of ${subject}`, subject }, async () => {
        // All versions that the subject's level says; the path of one version would try that one alone.
        const asked = { subject, headers: { 'content-type': CONTENT_TYPE }, body: registration(schema) };
        const response = await reads.subjects.compatible(asked).catch(refusedWith404);
        // A subject that is new holds nothing that could be followed.
        return isOffered(response) && (isNewSubject(response) || assertCompatible(answerOf(response), subject));
      });
    },
    async schemaById(id) {
      return call({ doing: `find schema ${id}`, schemaId: id }, async () =>
        schemaIn(answerOf(await reads.schemas.byId({ id }))),
      );
    },
    async check() {
      await call({ doing: 'list its schema types' }, async () => {
        const types = answerOf(await reads.schemas.types());
        if (!Array.isArray(types) || !types.includes('JSON')) throw notARegistry(types);
      });
    },
  };
}

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

function registration(schema: string): string {
  return JSON.stringify({ schemaType: 'JSON', schema });
}

function refusedWith404(error: unknown): Response {
  if (error instanceof Response && [404, 405].includes(error.status())) return error as Response;
  throw error;
}

/** "Subject not found" and "Version not found" in Confluent's API. */
const NOTHING_THERE: readonly unknown[] = [40401, 40402];

function isNewSubject(response: Response): boolean {
  return (
    response.status() === 404 && NOTHING_THERE.includes((answerOf(response) as { error_code?: unknown }).error_code)
  );
}

/** Registries before Confluent's 6.2 know no such question, and a 404 of theirs, or of a proxy, has no code of the API. */
function isOffered(response: Response): boolean {
  return response.success() || isNewSubject(response);
}

function assertCompatible(answer: unknown, subject: string): true {
  const { is_compatible: verdict } = (answer ?? {}) as { is_compatible?: unknown };
  if (typeof verdict !== 'boolean') throw notARegistry(answer);
  if (verdict) return true;
  const what = `The schema of the records does not follow what ${subject} holds, at its compatibility level.`;
  throw new SchemaRegistryError('schema-incompatible', what);
}

function timedBy(show: (answer: Omit<Parameters<OnAnswer>[0], 'host'>) => void): Middleware {
  return () => {
    let sentMs = 0;
    return {
      prepareRequest: async (next) => {
        sentMs = Date.now();
        return next();
      },
      response: async (next) => {
        const response = await next();
        show({ headers: response.headers() as Readonly<Record<string, string>>, sentMs, receivedMs: Date.now() });
        return response;
      },
    };
  };
}

function idIn(id: unknown): number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= 0xffff_ffff) return id;
  throw notARegistry(id);
}

function schemaIn(answer: unknown): RegisteredSchema {
  const { schema, schemaType = 'AVRO' } = (answer ?? {}) as { schema?: unknown; schemaType?: unknown };
  if (typeof schema !== 'string' || (schemaType !== 'AVRO' && schemaType !== 'JSON' && schemaType !== 'PROTOBUF')) {
    throw notARegistry(answer);
  }
  return { type: schemaType, schema };
}

function notARegistry(answer: unknown): SchemaRegistryError {
  return new SchemaRegistryError(
    'registry-failed',
    `What answers at SCHEMA_REGISTRY_URL does not speak Confluent's registry API (it sent ${typeof answer}).`,
  );
}

/** Of the one way that leads elsewhere; undefined where Node's own agent will do. The environment names no proxy here. */
function agentTo(host: string, proxy: RegistryProxy | undefined): Agent | undefined {
  if (proxy?.url === undefined || !host.startsWith('https:')) return undefined;
  return new Agent({ keepAlive: true, proxyEnv: { HTTPS_PROXY: proxy.url, NO_PROXY: proxy.bypass.join(',') } });
}

/** A login in the URL becomes a header, so that no message can show it. */
function withoutCredentials({ url, username, password }: SchemaRegistryOptions) {
  const parsed = new URL(url);
  const user = username ?? decodeURIComponent(parsed.username);
  const secret = password ?? decodeURIComponent(parsed.password);
  return {
    host: `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`,
    auth: user === '' ? undefined : { username: user, password: secret },
  };
}
