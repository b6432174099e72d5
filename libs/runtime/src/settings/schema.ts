import { z } from 'zod';
import { httpUrl, secret, text } from './fields.ts';

const levels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;

export const schemaSection = z
  .strictObject({
    registry: httpUrl('base').optional().meta({
      env: 'SCHEMA_REGISTRY_URL',
      description: "The schema registry (Confluent's API).",
    }),
    username: text().optional().meta({ env: 'SCHEMA_REGISTRY_USERNAME', description: 'User name at the registry.' }),
    password: secret().optional().meta({ env: 'SCHEMA_REGISTRY_PASSWORD', description: 'Password at the registry.' }),
    format: z.enum(['json', 'avro', 'protobuf']).prefault('json').meta({
      env: 'VALUE_FORMAT',
      description: 'How values are written. json keeps the bytes of the record.',
    }),
    compatibility: z.enum(levels).optional().meta({
      description: 'Level set on first registration. Without it: FORWARD for json, BACKWARD for avro and protobuf.',
    }),
    register: z.enum(['auto', 'require-registered']).prefault('auto').meta({
      description: 'Whether a missing schema is registered. require-registered is advised for production.',
    }),
  })
  .transform((section) => ({
    ...section,
    compatibility: section.compatibility ?? (section.format === 'json' ? ('FORWARD' as const) : ('BACKWARD' as const)),
  }));
