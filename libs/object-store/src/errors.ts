import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

/** Every code of this library. Scripts depend on the names; a new meaning is a new code. */
export const OBJECT_STORE_ERRORS = {
  // What was named.
  's3-bucket-missing': {
    meaning: 'There is no such bucket at the storage.',
    remedy: 'Check the name of the bucket, and s3.endpoint.',
    scope: 'source',
  },
  's3-object-missing': {
    meaning: 'The bucket has no such object, and none whose key begins so.',
    remedy: 'Check the key: it is case-sensitive, and does not begin with a slash.',
    scope: 'source',
  },
  's3-key-unusable': {
    meaning: 'The key has a part that is . or .., which no link can hold.',
    remedy: 'Copy the object to another key.',
    scope: 'source',
  },
  's3-wrong-region': {
    meaning: 'The bucket lies in another region than the one that was asked.',
    remedy: "Set s3.region (AWS_REGION) to the bucket's region.",
    scope: 'source',
  },
  // Who asks.
  's3-access-denied': {
    meaning: 'The credentials are good, and do not allow this.',
    remedy:
      'Allow s3:ListBucket on the bucket and s3:GetObject on its objects; where they are written, s3:PutObject and s3:DeleteObject too.',
    scope: 'source',
  },
  's3-credentials-missing': {
    meaning: 'There are no credentials for the storage.',
    remedy:
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or s3.accessKeyId and s3.secretAccessKey), or give this machine a role.',
  },
  's3-credentials-refused': {
    meaning: 'The storage does not accept the credentials: unknown, wrong, or expired.',
    remedy: 'Check s3.accessKeyId and s3.secretAccessKey, and renew them where they live for hours only.',
  },
  's3-region-missing': {
    meaning: 'Nothing tells which region of AWS to ask.',
    remedy: 'Set s3.region (AWS_REGION), or s3.endpoint for another storage.',
    scope: 'usage',
  },
  // The way there.
  's3-unreachable': {
    meaning: 'No answer comes from the storage.',
    remedy: 'Check s3.endpoint, s3.region, network and proxy.',
    retry: true,
    scope: 'source',
  },
  's3-untrusted': {
    meaning: 'The TLS of the storage is not trusted.',
    remedy:
      'Check that its certificate is valid, or name its authority in tls.caFile; it has to speak TLS 1.2 or later.',
    scope: 'source',
  },
  's3-not-storage': {
    meaning: 'What answers at the endpoint does not speak S3.',
    remedy: 'Check s3.endpoint: it is the origin of the API, not of a console or a proxy.',
    scope: 'source',
  },
  // What it answers.
  's3-failing': {
    meaning: 'The storage fails, or asks to be left alone, however often it is asked.',
    remedy: 'Run the same command again later.',
    retry: true,
    scope: 'source',
  },
  's3-refused': {
    meaning: 'The storage refuses the request, for a reason of its own.',
    remedy: 'See to the reason that it gives; s3.pathStyle matters to some storages.',
    scope: 'source',
  },
  's3-source-malformed': {
    meaning: 'An s3: source does not name a bucket.',
    remedy: 'Write s3://bucket/key, or s3://bucket/prefix/ for all objects under it.',
    scope: 'usage',
  },
} as const satisfies ErrorTable;

/** Whatever goes wrong between this program and the storage. Messages hold neither keys of access nor signatures. */
export class ObjectStoreError extends errorsOf(OBJECT_STORE_ERRORS) {}
