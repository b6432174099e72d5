import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectStoreError } from './errors.ts';
import { storageFailure } from './storage-failure.ts';

const asked = { what: 's3://b/k', host: 'h.example', region: 'eu-central-1', section: 's3', doing: 'read' } as const;

/** As the SDK raises it; `more` is what it has read of the answer. */
function raised(name: string, status?: number, more: object = {}): Error {
  const metadata = status === undefined ? {} : { $metadata: { httpStatusCode: status } };
  return Object.assign(new Error('canary of the SDK'), { name }, metadata, more);
}

function failureOf(error: Error, more: Partial<Parameters<typeof storageFailure>[1]> = {}): ObjectStoreError {
  const failure = storageFailure(error, { ...asked, ...more });
  assert.ok(failure instanceof ObjectStoreError, String(failure));
  assert.doesNotMatch(`${failure.message} ${JSON.stringify(failure)} ${String(failure.cause)}`, /canary/);
  return failure;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what else the SDK is known to raise. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  's3-bucket-missing': ['NoSuchBucket'],
  's3-object-missing': ['NoSuchKey'],
  's3-wrong-region': [
    'PermanentRedirect',
    'TemporaryRedirect',
    'AuthorizationHeaderMalformed',
    'AuthorizationQueryParametersError',
    'IllegalLocationConstraintException',
    'IncorrectEndpoint',
  ],
  's3-credentials-refused': [
    'InvalidAccessKeyId',
    'XAdminUserNotFound',
    'SignatureDoesNotMatch',
    'ExpiredToken',
    'ExpiredTokenException',
    'InvalidToken',
    'TokenRefreshRequired',
    'InvalidSecurity',
    'RequestTimeTooSkewed',
    'RequestExpired',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
  ],
  's3-credentials-missing': ['CredentialsProviderError', 'TokenProviderError'],
  's3-access-denied': [
    'AccessDenied',
    'AllAccessDisabled',
    'AccountProblem',
    'InvalidObjectState',
    'NotSignedUp',
    'Forbidden',
  ],
  's3-failing': [
    'SlowDown',
    'OperationAborted',
    'KMS.ThrottlingException',
    'ServiceUnavailable',
    'InternalError',
    'RequestTimeout',
    'Throttling',
    'ThrottlingException',
    'TooManyRequests',
    'TooManyRequestsException',
  ],
};

test('a name that S3 has decides, whatever the status; one that only holds such a name does not', () => {
  for (const [code, names] of Object.entries(NAMES)) {
    for (const name of names) {
      // 418 is what no name stands for.
      assert.equal(failureOf(raised(name, 418)).code, code, name);
      assert.equal(failureOf(raised(name)).code, code, `${name} without an answer`);
      assert.equal(failureOf(raised(`X${name}`, 418)).code, 's3-not-storage', `X${name}`);
      if (!/^(ExpiredToken|(KMS\.)?Throttling|TooManyRequests)/.test(name))
        assert.equal(failureOf(raised(`${name}X`, 418)).code, 's3-not-storage', `${name}X`);
    }
  }
});

test('without a name its status decides, wherever the SDK has put it; only what passes is worth another attempt', () => {
  for (const [code, statuses, retry] of [
    ['s3-wrong-region', [301, 307], false],
    ['s3-access-denied', [401, 403], false],
    ['s3-failing', [429, 500, 503, 599], true],
    ['s3-refused', [400], false],
    ['s3-not-storage', [200, 302, 404, 405, 418, 499], false],
  ] as const) {
    for (const status of statuses) {
      for (const error of [
        raised('Unknown', status),
        raised('Unknown', undefined, { $response: { statusCode: status } }),
      ]) {
        const failure = failureOf(error);
        assert.deepEqual([failure.code, failure.retry], [code, retry], String(status));
        if (code !== 's3-wrong-region')
          assert.match(failure.message, new RegExp(`^h\\.example answered ${status} Unknown to s3://b/k\\.`));
      }
    }
  }
});

test('a name that is a text of somebody’s is not repeated', () => {
  for (const name of ['canary of a record', 'canary\n', '1canary', `Canary${'y'.repeat(61)}`, ''])
    assert.match(failureOf(raised(name, 400)).message, /^h\.example answered 400 unknown to/, name);
});

test('a region that the answer names is the remedy, unless it is no region, the one that was asked, or the keys are wrong', () => {
  const byHeader = (region: string) => ({ $response: { headers: { 'x-amz-bucket-region': region } } });
  for (const more of [
    byHeader('us-west-2'),
    { Region: 'us-west-2' },
    { ...byHeader('us-west-2'), Region: 'eu-west-3' },
  ]) {
    for (const name of ['PermanentRedirect', 'AccessDenied', 'Unknown']) {
      const failure = failureOf(raised(name, 400, more));
      assert.equal(failure.code, 's3-wrong-region');
      assert.match(failure.message, /is not in the region eu-central-1 \(h\.example answered \w+\)/);
      assert.match(failure.message, /Set s3\.region \(AWS_REGION\) to us-west-2\.$/);
    }
  }
  for (const region of ['eu-central-1', 'Canary', 'x', `a${'b'.repeat(40)}`, 'us west', 'us-west-2 x', 'x us-west-2'])
    assert.equal(failureOf(raised('AccessDenied', 403, byHeader(region))).code, 's3-access-denied', region);
  assert.equal(failureOf(raised('AccessDenied', 403, { Region: 7 })).code, 's3-access-denied');
  assert.equal(failureOf(raised('ExpiredToken', 400, byHeader('us-west-2'))).code, 's3-credentials-refused');
  assert.match(failureOf(raised('PermanentRedirect', 301)).message, /to the bucket's region\.$/);
});

test('what is to be done is said by the reason: about keys, clocks, archives, and rights to write', () => {
  const remedyOf = (name: string, doing: 'read' | 'write') => failureOf(raised(name, 403), { doing }).message;
  for (const [name, remedy] of [
    ['RequestTimeTooSkewed', /this machine's clock\.$/],
    ['ExpiredToken', /They have expired: renew them/],
    ['InvalidAccessKeyId', /does not know this access key/],
    ['SignatureDoesNotMatch', /its secret is another one/],
    ['InvalidObjectState', /restore it first\.$/],
  ] as const)
    for (const doing of ['read', 'write'] as const) assert.match(remedyOf(name, doing), remedy);
  assert.match(remedyOf('AccessDenied', 'write'), /Allow s3:PutObject on the objects/);
  assert.match(remedyOf('AccessDenied', 'read'), /Allow s3:ListBucket/);
  assert.match(remedyOf('NoSuchBucket', 'write'), /Check the name of the bucket/);
});

test('a fault of the way there is told from a refusal; the storage is named, and the SDK’s words are not repeated', () => {
  for (const [code, expected, retry] of [
    ['ECONNREFUSED', 's3-unreachable', true],
    ['UND_ERR_HEADERS_TIMEOUT', 's3-unreachable', true],
    ['CERT_HAS_EXPIRED', 's3-untrusted', false],
    ['HPE_INVALID_CONSTANT', 's3-not-storage', false],
  ] as const) {
    const error = Object.assign(new Error('the way'), { code });
    const failure = failureOf(error);
    assert.deepEqual([failure.code, failure.retry], [expected, retry], code);
    assert.ok(failure.message.startsWith(`h.example cannot be asked for s3://b/k (${code}).`), failure.message);
    assert.equal(failure.cause, code.startsWith('HPE_') ? undefined : error);
  }
  assert.equal(failureOf(new Error('Region is missing')).code, 's3-region-missing');
  assert.match(
    failureOf(raised('CredentialsProviderError')).message,
    /^No credentials were found to ask h\.example for s3:\/\/b\/k\./,
  );
});

test('a bug, and what has been told already, go through as they are', () => {
  const told = new ObjectStoreError('s3-not-storage', 'x');
  for (const error of [told, new TypeError('x'), raised('Unknown'), 'a text', undefined])
    assert.equal(storageFailure(error, asked), error);
});
