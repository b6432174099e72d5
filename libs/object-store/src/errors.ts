import { errorsOf, type ErrorFacts, type ErrorTable } from '@genesys-kafka/resilience';

/** The setting of the region, and its variable, which only the section `s3` has. */
export const regionSetting = (at: string) => (at === 's3' ? 's3.region (AWS_REGION)' : `${at}.region`);

/** Remedies that name settings, which stand in the section `at`: there are several storages. */
const IN_SECTION = {
  's3-bucket-missing': (at) => `Check the name of the bucket, and ${at}.endpoint.`,
  's3-wrong-region': (at) => `Set ${regionSetting(at)} to the bucket's region.`,
  's3-credentials-missing': (at) =>
    `Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or ${at}.accessKeyId and ${at}.secretAccessKey), or give this machine a role.`,
  's3-credentials-refused': (at) =>
    `Check ${at}.accessKeyId and ${at}.secretAccessKey, and renew them where they live for hours only.`,
  's3-region-missing': (at) => `Set ${regionSetting(at)}, or ${at}.endpoint for another storage.`,
  's3-unreachable': (at) => `Check ${at}.endpoint, ${at}.region, network and proxy.`,
  's3-not-storage': (at) => `Check ${at}.endpoint: it is the origin of the API, not of a console or a proxy.`,
  's3-refused': (at) => `See to the reason that it gives; ${at}.pathStyle matters to some storages.`,
} as const satisfies Readonly<Record<string, (at: string) => string>>;

/** Every code of this library. Scripts depend on the names; a new meaning is a new code. */
export const OBJECT_STORE_ERRORS = {
  // What was named.
  's3-bucket-missing': {
    meaning: 'There is no such bucket at the storage.',
    remedy: IN_SECTION['s3-bucket-missing']('s3'),
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
    remedy: IN_SECTION['s3-wrong-region']('s3'),
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
    remedy: IN_SECTION['s3-credentials-missing']('s3'),
  },
  's3-credentials-refused': {
    meaning: 'The storage does not accept the credentials: unknown, wrong, or expired.',
    remedy: IN_SECTION['s3-credentials-refused']('s3'),
  },
  's3-region-missing': {
    meaning: 'Nothing tells which region of AWS to ask.',
    remedy: IN_SECTION['s3-region-missing']('s3'),
    scope: 'usage',
  },
  // The way there.
  's3-unreachable': {
    meaning: 'No answer comes from the storage.',
    remedy: IN_SECTION['s3-unreachable']('s3'),
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
    remedy: IN_SECTION['s3-not-storage']('s3'),
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
    remedy: IN_SECTION['s3-refused']('s3'),
    scope: 'source',
  },
  's3-source-malformed': {
    meaning: 'An s3: source does not name a bucket.',
    remedy: 'Write s3://bucket/key, or s3://bucket/prefix/ for all objects under it.',
    scope: 'usage',
  },
} as const satisfies ErrorTable;

/** Whatever goes wrong between this program and the storage. Messages hold neither keys of access nor signatures. */
export class ObjectStoreError extends errorsOf(OBJECT_STORE_ERRORS) {
  /** `section`: where the settings of this storage stand, for the remedy. */
  constructor(
    code: keyof typeof OBJECT_STORE_ERRORS,
    what: string,
    { section, ...facts }: ErrorFacts & { readonly section?: string } = {},
  ) {
    const remedies: Partial<Record<string, (at: string) => string>> = IN_SECTION;
    const remedy = section === undefined ? undefined : remedies[code]?.(section);
    super(code, what, { ...(remedy === undefined ? {} : { remedy }), ...facts });
  }
}
