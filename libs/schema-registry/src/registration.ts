import type { Agent } from 'node:https';
import { setTimeout } from 'node:timers/promises';
import { COMPATIBILITY, SchemaRegistry as RegistryClient, SchemaType } from '@kafkajs/confluent-schema-registry';
import type { Middleware } from 'mappersmith';

export type Compatibility = keyof typeof COMPATIBILITY;

type ClientOptions = ConstructorParameters<typeof RegistryClient>[0];

interface RegistrationOptions {
  readonly host: string;
  readonly retry: NonNullable<ClientOptions['retry']>;
  readonly middlewares: readonly Middleware[];
  readonly auth: { readonly username: string; readonly password: string } | undefined;
  readonly agent: Agent | undefined;
}

interface Asked {
  readonly subject: string;
  readonly schema: string;
  readonly compatibility: Compatibility;
}

/** Resolve with what the registry gave as the id; reject with the client's own errors. */
interface Registration {
  register(asked: Asked): Promise<unknown>;
  lookUp(asked: Asked): Promise<unknown>;
}

/** Validation is ours: the client's own Ajv knows no formats and no draft later than 07, and would refuse the schema. */
const NO_VALIDATION = { addSchema: () => undefined as never, compile: () => () => true };

export function createRegistration({ host, retry, middlewares, auth, agent }: RegistrationOptions): Registration {
  const client = new RegistryClient(
    {
      host,
      clientId: 'genesys-kafka',
      retry,
      middlewares: asClientMiddlewares(middlewares),
      ...(auth ? { auth } : {}),
      ...(agent ? { agent } : {}),
    },
    { [SchemaType.JSON]: { ajvInstance: NO_VALIDATION } },
  );
  return {
    register: async ({ subject, schema, compatibility }) =>
      throughConflicts(async () =>
        register(client, subject, { type: SchemaType.JSON, schema }, COMPATIBILITY[compatibility]),
      ),
    lookUp: async ({ subject, schema }) => client.getRegistryIdBySchema(subject, { type: SchemaType.JSON, schema }),
  };
}

/** The client uses mappersmith's CommonJS build: the same code under another type identity. */
function asClientMiddlewares(middlewares: readonly Middleware[]): NonNullable<ClientOptions['middlewares']> {
  return middlewares as unknown as NonNullable<ClientOptions['middlewares']>;
}

type JsonSchemaText = { readonly type: SchemaType.JSON; readonly schema: string };

/** Somebody else may be in each step of a registration: making the subject, setting its level. */
const ATTEMPTS = 4;
const PAUSE_MS = 100;

/**
 * Programs that start together register the same schema at once, and a registry may refuse all but one of them with the
 * status of an incompatible schema. Asked again, it finds what is registered; what does not fit is refused once more.
 */
async function throughConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      await setTimeout(PAUSE_MS * attempt);
    }
  }
}

/** The level may have been set between two questions, too. */
function isConflict(error: unknown): boolean {
  return (error instanceof Error && 'status' in error && error.status === 409) || levelInUse(error) !== undefined;
}

/**
 * Registers, or finds what is registered already. The client sets the level where the subject has none, and throws
 * where it has another one: then that level is the owner's choice, and the registry judges by it.
 */
async function register(
  client: RegistryClient,
  subject: string,
  schema: JsonSchemaText,
  compatibility: COMPATIBILITY,
): Promise<unknown> {
  try {
    const { id } = await client.register({ ...schema }, { subject, compatibility });
    return id;
  } catch (error) {
    const level = levelInUse(error);
    if (level === undefined || level === compatibility) throw error;
    const { id } = await client.register({ ...schema }, { subject, compatibility: level });
    return id;
  }
}

/** The client tells the subject's level only in its message: "… (FORWARD != BACKWARD)". */
function levelInUse(error: unknown): COMPATIBILITY | undefined {
  if (!(error instanceof Error) || error.constructor.name !== 'ConfluentSchemaRegistryCompatibilityError') return;
  const level = /!= (\w+)\)/.exec(error.message)?.[1];
  return Object.values(COMPATIBILITY).find((known) => known === level);
}
