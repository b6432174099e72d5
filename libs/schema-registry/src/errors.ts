import { OperationalError, type OperationalErrorOptions } from '@genesys-kafka/resilience';

export type SchemaRegistryErrorCode =
  | 'registry-authentication-failed'
  | 'registry-authorization-failed'
  | 'registry-failed'
  | 'registry-unreachable'
  | 'schema-incompatible'
  | 'schema-invalid'
  | 'schema-not-registered'
  | 'unknown-schema-id';

/** Everything that goes wrong between this program and the schema registry. */
export class SchemaRegistryError extends OperationalError {
  declare readonly code: SchemaRegistryErrorCode;

  constructor(code: SchemaRegistryErrorCode, message: string, options: OperationalErrorOptions = {}) {
    super(code, message, options);
  }
}
