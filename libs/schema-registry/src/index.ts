export { connectOptionalRegistry, connectRegistry } from './connect.ts';
export { SchemaRegistryError } from './errors.ts';
export { SchemaIds } from './schema-ids.ts';
export { createSchemaRegistry } from './schema-registry.ts';
