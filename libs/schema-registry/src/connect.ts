import { requireSettings } from '@genesys-kafka/runtime/settings';
import { createSchemaRegistry, type OnAnswer, type RegistryProxy, type SchemaRegistry } from './schema-registry.ts';

/** What a program that asks the registry has in its settings. */
export interface RegistrySettings {
  readonly schema: {
    readonly registry?: string | undefined;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
  };
  readonly proxy?: RegistryProxy;
}

/** The registry of the settings. Throws a `ConfigError` where none is set; connects with the first call. */
export function connectRegistry(settings: RegistrySettings, onAnswer?: OnAnswer): SchemaRegistry {
  const url = requireSettings(settings, ['schema.registry'])['schema.registry'];
  const { username, password } = settings.schema;
  const login = { ...(username ? { username } : {}), ...(password ? { password } : {}) };
  return createSchemaRegistry({ url, ...login, proxy: settings.proxy, ...(onAnswer ? { onAnswer } : {}) });
}

/** For a reader of records, who can do without: undefined where no registry is set, and then any schema id is taken. */
export function connectOptionalRegistry(settings: RegistrySettings): SchemaRegistry | undefined {
  return settings.schema.registry === undefined ? undefined : connectRegistry(settings);
}
