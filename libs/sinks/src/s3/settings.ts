import { batchSection, GATE_KEYS } from '@genesys-kafka/delivery/settings';
import { httpUrl, secret, text } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { sinkType } from '../sink-type.ts';
import { prefixProblem } from './object-key.ts';

const PREFIX = z
  .string()
  .max(500)
  .prefault('')
  .superRefine((prefix, context) => {
    const message = prefixProblem(prefix);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .meta({
    kind: 'text',
    description:
      'In front of every key. {yyyy}, {MM} and {dd} stand for the day, in UTC, on which a record was published.',
  });

/** Headers that say how an object is kept, and by whom; the others are the signature's, or the program's. */
const OF_OBJECTS =
  /^x-amz-(acl|grant-[a-z-]+|server-side-encryption[a-z0-9-]*|storage-class|tagging|meta-[a-z0-9-]+|object-lock-[a-z-]+|expected-bucket-owner|request-payer)$/i;

const HEADERS = z
  .record(
    z
      .string()
      .regex(OF_OBJECTS, {
        error:
          'is not a header that an object can be written with; such are x-amz-acl, -server-side-encryption…, -storage-class, -tagging, -meta-…',
      })
      .meta({ kind: 'header name' }),
    z
      .string()
      .regex(/^[\x20-\x7e]+$/, { error: 'is empty, or has characters that a header of S3 cannot carry' })
      .meta({ secret: true }),
  )
  .prefault({})
  .meta({
    kind: 'object',
    secret: true,
    description: 'Sent with each object, such as x-amz-server-side-encryption: aws:kms.',
  });

/** A sink of type `s3`: exactly once. */
export const S3_SINK = z
  .strictObject({
    type: sinkType('s3'),
    bucket: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/, { error: 'is not a name that a bucket can have' })
      .meta({ kind: 'text', description: 'Bucket that objects are put into; it has to be there.' }),
    prefix: PREFIX,
    endpoint: httpUrl('origin').optional().meta({
      description: 'Origin of a storage that speaks S3. Without it, AWS itself.',
    }),
    region: text(100).optional().meta({
      description: "The bucket's region; us-east-1 where only an endpoint is set.",
    }),
    accessKeyId: secret().optional().meta({
      description: "The access key's id. Without it, profiles and the roles of machines and containers are looked for.",
    }),
    secretAccessKey: secret().optional().meta({ description: "The access key's secret." }),
    sessionToken: secret().optional().meta({ description: 'Belongs to an access key that lives for hours.' }),
    pathStyle: z.boolean().optional().meta({
      description: 'The bucket stands in the path, not in the host name. By default where an endpoint is set.',
    }),
    headers: HEADERS,
    batch: batchSection({ records: 5000, bytes: '16MiB', age: '60s' }),
    ...GATE_KEYS,
  })
  .superRefine(({ accessKeyId, secretAccessKey }, context) => {
    if ((accessKeyId === undefined) === (secretAccessKey === undefined)) return;
    const path = [accessKeyId === undefined ? 'accessKeyId' : 'secretAccessKey'];
    context.addIssue({ code: 'custom', path, message: 'is missing beside the other one; set both, or none of them' });
  });
