import { z } from 'zod';
import { count, duration } from './fields.ts';
import { bucket } from './sinks.ts';

export const retrySection = z
  .strictObject({
    tiers: z
      .array(duration(100))
      .min(1)
      .max(20)
      .prefault(['5s', '1m', '10m'])
      .meta({ kind: 'list of durations', description: 'Waits of the retry topics, rising.' }),
    attempts: count(0, 100).optional().meta({
      description:
        'Retries before the dead letter. Without it, as many as there are tiers; past the last, the last repeats.',
    }),
    blocking: z.boolean().prefault(false).meta({
      description: 'Keeps the order of each key: no retry topics, the key waits.',
    }),
  })
  .superRefine(({ tiers }, context) => {
    tiers.forEach((waitMs, index) => {
      if (index === 0 || waitMs > tiers[index - 1]!) return;
      context.addIssue({
        code: 'custom',
        path: ['tiers', index],
        message: 'is not longer than the tier before it; write the tiers in rising order',
      });
    });
  })
  .transform(({ tiers, attempts, blocking }) => ({ tiersMs: tiers, attempts: attempts ?? tiers.length, blocking }));

export const unroutedSetting = z.enum(['dead-letter', 'drop']).meta({
  description: 'What becomes of records that no route picks; counted either way.',
});

export const deadLettersSection = z
  .strictObject({
    topic: z.boolean().prefault(true).meta({ description: 'Dead letters go to the topic.' }),
    objects: z.strictObject(bucket).optional(),
  })
  .refine(({ topic, objects }) => topic || objects !== undefined, {
    path: ['topic'],
    error: 'cannot be off without deadLetters.objects: a record would have nowhere to go; set one of them',
  });
