export { connectOptionalRegistry, connectRegistry, type RegistrySettings } from './connect.ts';
export { SchemaRegistryError, type SchemaRegistryErrorCode } from './errors.ts';
export { SchemaIds } from './schema-ids.ts';
export {
  type Compatibility,
  createSchemaRegistry,
  type RegisteredSchema,
  type ResolveOptions,
  type SchemaRegistry,
  type SchemaRegistryOptions,
} from './schema-registry.ts';
