import { z } from 'zod';
import { count, identifier, text } from './fields.ts';

const retryOfRoute = z.strictObject({
  attempts: count(0, 100)
    .optional()
    .meta({ description: 'Retries before the dead letter, instead of retry.attempts.' }),
  blocking: z.boolean().optional().meta({ description: 'Instead of retry.blocking.' }),
});

const route = z.strictObject({
  name: identifier(100).meta({ description: 'Names its consumer group: renaming a route starts it anew.' }),
  when: text(20_000)
    .optional()
    .meta({ description: 'CEL expression over record and headers; without it, all records.' }),
  sink: identifier(100).meta({ description: 'Where the records go: a name under sinks.' }),
  priority: z.enum(['high', 'normal', 'low']).prefault('normal').meta({
    description: 'Who goes first when routes share a sink.',
  }),
  retry: retryOfRoute.prefault({}),
});

export const routesSection = z
  .array(route)
  .max(1000)
  .meta({ kind: 'list', description: 'Which records go where; each route is a consumer group of its own.' });
