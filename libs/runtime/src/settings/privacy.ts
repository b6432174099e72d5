import { z } from 'zod';

export const privacySection = z
  .array(
    z.strictObject({
      path: z
        .string()
        .regex(/^[A-Za-z_$*][\w$*-]*(?:\[\])?(?:\.[A-Za-z_$*][\w$*-]*(?:\[\])?)*$/, {
          error: 'is not a path; write names with dots, [] after a list: participants[].attributes',
        })
        .meta({ kind: 'path', description: 'Which fields of a record.' }),
      action: z.enum(['hash', 'redact', 'drop']).meta({ description: 'What is done to them before publishing.' }),
    }),
  )
  .meta({ kind: 'list', description: 'Personal data masked before publishing.' });
