import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

/** Every code of this library. Scripts depend on the names; a new meaning is a new code. */
export const SCHEMA_REGISTRY_ERRORS = {
  'registry-unreachable': {
    meaning: 'The schema registry does not answer, or answers that it does not work.',
    remedy: 'Check SCHEMA_REGISTRY_URL, that the registry runs, and its log.',
    retry: true,
  },
  'registry-authentication-failed': {
    meaning: 'The schema registry does not accept the login.',
    remedy: 'Check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD.',
  },
  'registry-authorization-failed': {
    meaning: 'The login may not do this in the schema registry.',
    remedy:
      'Grant this login read access, and for schema.register: auto write access to the subject; or register the ' +
      'schema beforehand and set schema.register: require-registered.',
  },
  'registry-failed': {
    meaning: "What answers does not speak Confluent's registry API, or not under this path.",
    remedy: 'Check the path of SCHEMA_REGISTRY_URL: Apicurio has it under /apis/ccompat/v7.',
  },
  'schema-incompatible': {
    meaning: 'The subject holds a version that this schema must not follow at its compatibility level.',
    remedy:
      'For JSON Schema with an open model set its compatibility level to FORWARD, or publish under another topic.',
  },
  'schema-invalid': {
    meaning: 'The schema is not JSON, or the registry does not accept it as a schema.',
    remedy: 'Use a schema that this registry accepts.',
  },
  'schema-not-registered': {
    meaning: 'This exact schema is not registered under the subject, and schema.register asks for it.',
    remedy:
      'This exact schema is not there: register libs/conversation/schemas/conversation.schema.json as it is, or set ' +
      'schema.register: auto.',
  },
  'tls-failed': {
    meaning: 'No secure connection comes about: the certificate or the handshake is not accepted.',
    remedy:
      "Check SCHEMA_REGISTRY_URL, that the registry's certificate is valid and its authority known (tls.caFile, " +
      'NODE_EXTRA_CA_CERTS), and that it speaks TLS 1.2 or later.',
  },
  'unknown-schema-id': {
    meaning: 'The registry knows no schema with the id of a record.',
    remedy: 'The record was framed with another registry’s id, or the schema was deleted for good.',
  },
} as const satisfies ErrorTable;

/** Everything that goes wrong between this program and the schema registry. */
export class SchemaRegistryError extends errorsOf(SCHEMA_REGISTRY_ERRORS) {}
