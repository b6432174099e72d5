import { httpUrl, secret, text, together, type CrossCheck } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/**
 * `s3`: the storage that `s3:` sources lie in. The variables are those of other tools that speak S3. Without keys, the
 * usual places are looked at: profiles, the roles of machines and containers.
 */
export const S3_SECTION = z
  .strictObject({
    endpoint: httpUrl('origin').optional().meta({
      env: 'AWS_ENDPOINT_URL_S3',
      description: 'Origin of a storage that speaks S3. Without it, AWS itself.',
    }),
    region: text(100).optional().meta({
      env: 'AWS_REGION',
      description: "The buckets' region; us-east-1 where only an endpoint is set.",
    }),
    accessKeyId: secret().optional().meta({
      env: 'AWS_ACCESS_KEY_ID',
      description: "The access key's id. Without it, profiles and the roles of machines and containers are looked for.",
    }),
    secretAccessKey: secret()
      .optional()
      .meta({ env: 'AWS_SECRET_ACCESS_KEY', description: "The access key's secret." }),
    sessionToken: secret().optional().meta({
      env: 'AWS_SESSION_TOKEN',
      description: 'Belongs to an access key that lives for hours.',
    }),
    pathStyle: z.boolean().optional().meta({
      description: 'The bucket stands in the path, not in the host name. By default where an endpoint is set.',
    }),
  })
  .prefault({});

export type S3Settings = z.output<typeof S3_SECTION>;

export const S3_CHECKS: readonly CrossCheck[] = [
  together('s3.accessKeyId', 's3.secretAccessKey', 'set both, or none of them'),
];
