import { headerOf, networkFault } from '@genesys-kafka/http';
import { ObjectStoreError, regionSetting } from './errors.ts';

interface Asked {
  /** What was asked for, as `s3://bucket/key`, or the storage itself. */
  readonly what: string;
  readonly host: string;
  readonly region: string;
  /** Where the storage's settings stand. */
  readonly section: string;
  readonly doing: 'read' | 'write';
}

/** Parts of the SDK's errors that are read here. They are not kept as causes: some hold keys and signatures. */
interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly Code?: unknown;
  readonly Region?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Record<string, string> };
}

type Code = ObjectStoreError['code'];

const CODES: readonly (readonly [RegExp, Code])[] = [
  [/^NoSuchBucket$/, 's3-bucket-missing'],
  [/^NoSuchKey$/, 's3-object-missing'],
  [
    /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|AuthorizationQueryParametersError)$/,
    's3-wrong-region',
  ],
  [/^(IllegalLocationConstraintException|IncorrectEndpoint)$/, 's3-wrong-region'],
  [
    /^(InvalidAccessKeyId|XAdminUserNotFound|SignatureDoesNotMatch|ExpiredToken\w*|InvalidToken|TokenRefreshRequired|InvalidSecurity)$/,
    's3-credentials-refused',
  ],
  [
    /^(RequestTimeTooSkewed|RequestExpired|InvalidClientTokenId|UnrecognizedClientException)$/,
    's3-credentials-refused',
  ],
  [/^(CredentialsProviderError|TokenProviderError)$/, 's3-credentials-missing'],
  [/^(AccessDenied|AllAccessDisabled|AccountProblem|InvalidObjectState|NotSignedUp|Forbidden)$/, 's3-access-denied'],
  [
    /^(SlowDown|ServiceUnavailable|InternalError|RequestTimeout|OperationAborted|(KMS\.)?Throttling\w*|TooManyRequests\w*)$/,
    's3-failing',
  ],
];

const REMEDIES: Readonly<Record<string, (at: string) => string>> = {
  RequestTimeTooSkewed: () => "Correct this machine's clock.",
  ExpiredToken: () => 'They have expired: renew them (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).',
  InvalidAccessKeyId: (at) => `The storage does not know this access key: check ${at}.accessKeyId and ${at}.endpoint.`,
  SignatureDoesNotMatch: (at) => `The access key is known, and its secret is another one: check ${at}.secretAccessKey.`,
  InvalidObjectState: () => 'The object lies in an archive: restore it first.',
};

const WRITE_REMEDIES: Partial<Record<Code, string>> = {
  's3-access-denied':
    'Allow s3:PutObject on the objects of the bucket (a key of KMS that encrypts them may need rights, too).',
};

/** What a failed call of the SDK means. Anything that it is not known to raise is passed through: a bug. */
export function storageFailure(error: unknown, asked: Asked): unknown {
  if (error instanceof ObjectStoreError || !(error instanceof Error)) return error;
  const network = networkFault(error);
  if (network) {
    const code =
      network.cause === 'tls-refused'
        ? 's3-untrusted'
        : network.cause === 'not-http'
          ? 's3-not-storage'
          : 's3-unreachable';
    return new ObjectStoreError(code, `${asked.host} cannot be asked for ${asked.what} (${network.code}).`, {
      section: asked.section,
      cause: network.error,
    });
  }
  const sdk = error as unknown as SdkError;
  const { section } = asked;
  if (sdk.message === 'Region is missing')
    return new ObjectStoreError('s3-region-missing', 'No region is set.', { section });
  const reason = /^[A-Za-z][\w.]{0,60}$/.test(sdk.name) ? sdk.name : 'unknown';
  const known = CODES.find(([names]) => names.test(reason))?.[1];
  const status = sdk.$metadata?.httpStatusCode ?? sdk.$response?.statusCode;
  if (known === undefined && status === undefined) return error;
  const code =
    regionOf(sdk, asked) === undefined || known === 's3-credentials-refused'
      ? (known ?? byStatus(status!))
      : 's3-wrong-region';
  const remedy = remedyOf(code, sdk, asked, reason);
  return new ObjectStoreError(code, whatOf(code, sdk, asked, status, reason), { section, ...remedy });
}

/** An answer without a code that S3 has. */
function byStatus(status: number): Code {
  if (status === 301 || status === 307) return 's3-wrong-region';
  if (status === 403 || status === 401) return 's3-access-denied';
  if (status === 429 || status >= 500) return 's3-failing';
  return status === 400 ? 's3-refused' : 's3-not-storage';
}

function whatOf(
  code: Code,
  sdk: SdkError,
  { what, host, region }: Asked,
  status: number | undefined,
  reason: string,
): string {
  if (code === 's3-credentials-missing') return `No credentials were found to ask ${host} for ${what}.`;
  if (code === 's3-wrong-region') return `${what} is not in the region ${region} (${host} answered ${reason}).`;
  return `${host} answered ${[status, reason].filter((part) => part !== undefined).join(' ')} to ${what}.`;
}

function remedyOf(code: Code, sdk: SdkError, asked: Asked, reason: string): { readonly remedy?: string } {
  const region = regionOf(sdk, asked);
  if (code === 's3-wrong-region')
    return region === undefined ? {} : { remedy: `Set ${regionSetting(asked.section)} to ${region}.` };
  const remedy = REMEDIES[reason]?.(asked.section) ?? (asked.doing === 'write' ? WRITE_REMEDIES[code] : undefined);
  return remedy === undefined ? {} : { remedy };
}

/** The region that an answer names where it is another one than was asked. */
function regionOf({ Region, $response }: SdkError, asked: Asked): string | undefined {
  const named = headerOf($response?.headers ?? {}, 'x-amz-bucket-region') ?? Region;
  return typeof named === 'string' && /^[a-z0-9-]{2,40}$/.test(named) && named !== asked.region ? named : undefined;
}
