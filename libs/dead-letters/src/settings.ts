import { BUCKET_NAME, STORAGE_KEYS } from '@genesys-kafka/object-store/settings';
import { text, together, treeOf, type CrossCheck } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

const OBJECTS = z.strictObject({
  bucket: BUCKET_NAME.meta({
    kind: 'text',
    description: 'The bucket that dead letters are written to; it has to be there.',
  }),
  prefix: text(500)
    .regex(/^(?!\/)(?:[^/]+\/)*$/, { error: 'is not a folder; write it with a slash at its end, such as dl/' })
    .prefault('dead-letters/')
    .meta({ description: 'In front of the names of all objects; it ends with a slash.', kind: 'text' }),
  ...STORAGE_KEYS,
  accessKeyId: STORAGE_KEYS.accessKeyId.meta({ env: 'DEAD_LETTERS_ACCESS_KEY_ID' }),
  secretAccessKey: STORAGE_KEYS.secretAccessKey.meta({ env: 'DEAD_LETTERS_SECRET_ACCESS_KEY' }),
  sessionToken: STORAGE_KEYS.sessionToken.meta({ env: 'DEAD_LETTERS_SESSION_TOKEN' }),
});

/** `deadLetters`: where records that were given up are kept, those of the producer and of the consumer alike. */
export const DEAD_LETTERS_SECTION = z
  .strictObject({
    topic: z
      .boolean()
      .prefault(true)
      .meta({ description: 'Dead letters go to the dead-letter topic; without it, to object storage alone.' }),
    objects: OBJECTS.optional(),
  })
  .prefault({});

export type DeadLettersSettings = z.output<typeof DEAD_LETTERS_SECTION>;
export type LetterObjectsSettings = NonNullable<DeadLettersSettings['objects']>;

export const DEAD_LETTERS_CHECKS: readonly CrossCheck[] = [
  together('deadLetters.objects.accessKeyId', 'deadLetters.objects.secretAccessKey', 'set both, or none of them'),
  somewhere,
];

function somewhere({ tree }: Parameters<CrossCheck>[0]): ReturnType<CrossCheck> {
  const { topic, objects } = treeOf(tree.deadLetters);
  if (topic !== false || objects !== undefined) return [];
  const fix = 'set deadLetters.objects.bucket, or leave the topic on';
  return [{ path: 'deadLetters.topic', problem: 'is off, and there is no other place for dead letters', fix }];
}
