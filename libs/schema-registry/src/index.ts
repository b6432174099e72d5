export { connectOptionalRegistry, connectRegistry, type RegistrySettings } from './connect.ts';
export { SCHEMA_REGISTRY_ERRORS, SchemaRegistryError } from './errors.ts';
export { SchemaIds } from './schema-ids.ts';
export { createSchemaRegistry, type SchemaRegistry } from './schema-registry.ts';
