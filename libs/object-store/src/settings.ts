import { httpUrl, secret, text, together, type CrossCheck } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { BUCKET } from './object-address.ts';

/** The name of a bucket. */
export const BUCKET_NAME = z
  .string()
  .regex(BUCKET, { error: 'is not a name that a bucket can have; write 3 to 255 letters, digits, dots and dashes' });

/** How a storage that speaks S3 is reached, whatever it is used for. */
export const STORAGE_KEYS = {
  endpoint: httpUrl('origin').optional().meta({
    description: 'Origin of a storage that speaks S3. Without it, AWS itself.',
  }),
  region: text(100).optional().meta({
    description: "The buckets' region; us-east-1 where only an endpoint is set.",
  }),
  accessKeyId: secret().optional().meta({
    description: "The access key's id. Without it, profiles and the roles of machines and containers are looked for.",
  }),
  secretAccessKey: secret().optional().meta({ description: "The access key's secret." }),
  sessionToken: secret().optional().meta({ description: 'Belongs to an access key that lives for hours.' }),
  pathStyle: z.boolean().optional().meta({
    description: 'The bucket stands in the path, not in the host name. By default where an endpoint is set.',
  }),
};

/**
 * `s3`: the storage that `s3:` sources lie in. The variables are those of other tools that speak S3. Without keys, the
 * usual places are looked at: profiles, the roles of machines and containers.
 */
export const S3_SECTION = z
  .strictObject({
    endpoint: STORAGE_KEYS.endpoint.meta({ env: 'AWS_ENDPOINT_URL_S3' }),
    region: STORAGE_KEYS.region.meta({ env: 'AWS_REGION' }),
    accessKeyId: STORAGE_KEYS.accessKeyId.meta({ env: 'AWS_ACCESS_KEY_ID' }),
    secretAccessKey: STORAGE_KEYS.secretAccessKey.meta({ env: 'AWS_SECRET_ACCESS_KEY' }),
    sessionToken: STORAGE_KEYS.sessionToken.meta({ env: 'AWS_SESSION_TOKEN' }),
    pathStyle: STORAGE_KEYS.pathStyle,
  })
  .prefault({});

export interface S3Settings extends z.output<typeof S3_SECTION> {
  /** Of S3, sent with each object that is written, such as `x-amz-server-side-encryption`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export const S3_CHECKS: readonly CrossCheck[] = [
  together('s3.accessKeyId', 's3.secretAccessKey', 'set both, or none of them'),
];
