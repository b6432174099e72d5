/** What a library needs to describe its settings and to ask for them: `@genesys-kafka/runtime/settings`, quick to load. */
export { ConfigError } from './errors.ts';
export { HEALTH_SECTION, LOG_SECTION } from './process-settings.ts';
export { type CrossCheck, type Given, listOf, together, treeOf, valuesAt, valuesOf } from './settings/cross-check.ts';
export { defineSettings, type SettingsDefinition, type SettingsOf } from './settings/definition.ts';
export {
  count,
  duration,
  hostAndPort,
  httpUrl,
  identifier,
  inMs,
  instant,
  percentage,
  secret,
  size,
  text,
} from './settings/fields.ts';
export { requireSettings } from './settings/require-settings.ts';
