import { httpUrl, secret, text, together, type CrossCheck } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

const LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;

/** Keys of `schema`: where the registry is. */
export const REGISTRY_KEYS = {
  registry: httpUrl('base').optional().meta({
    env: 'SCHEMA_REGISTRY_URL',
    description: "The schema registry (Confluent's API).",
  }),
  username: text().optional().meta({ env: 'SCHEMA_REGISTRY_USERNAME', description: 'User name at the registry.' }),
  password: secret().optional().meta({ env: 'SCHEMA_REGISTRY_PASSWORD', description: 'Password at the registry.' }),
};

/** Keys of `schema` for whoever writes: what becomes of a schema that is not there. */
export const REGISTRATION_KEYS = {
  compatibility: z.enum(LEVELS).prefault('FORWARD').meta({ description: 'Level set on first registration.' }),
  register: z.enum(['auto', 'require-registered']).prefault('auto').meta({
    description: 'Whether a missing schema is registered. require-registered is advised for production.',
  }),
};

export const REGISTRY_CHECKS: readonly CrossCheck[] = [
  together('schema.username', 'schema.password', 'set both or neither'),
];
