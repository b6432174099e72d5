import { ObjectStoreError } from './errors.ts';

export interface ObjectAddress {
  readonly bucket: string;
  /** A key, or what keys begin with; empty for all of the bucket. */
  readonly key: string;
}

/** Names that buckets have had at any time; what stands here becomes a part of a host name or path. */
export const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;

/** `s3://bucket/key`, the key as it is: nothing in it is decoded. Throws `s3-source-malformed`. */
export function parseObjectAddress(address: string): ObjectAddress {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(address) ?? [];
  if (BUCKET.test(bucket)) return { bucket, key };
  throw new ObjectStoreError('s3-source-malformed', `${JSON.stringify(address.slice(0, 200))} names no bucket.`);
}

export function showObject({ bucket, key }: ObjectAddress): string {
  return `s3://${bucket}/${key}`;
}
