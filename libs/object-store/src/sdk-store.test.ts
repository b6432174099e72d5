import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { connectObjectStore } from './connect.ts';
import { ObjectStoreError } from './errors.ts';
import { storageFailure } from './storage-failure.ts';

const KEYS = { accessKeyId: 'AKIA-canary-0001', secretAccessKey: 'secret-canary-0001', region: 'eu-central-1' };
const never = new AbortController().signal;

/** What a listing of a storage that answers so ends with. No message may show a key. */
async function failureOf(answer: RequestListener, section?: string): Promise<ObjectStoreError> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using store = await connectObjectStore({ ...KEYS, endpoint }, undefined, section);
  try {
    await store.list({ bucket: 'bucket', key: 'x/' }, never);
    return assert.fail('it was listed');
  } catch (error) {
    assert.ok(error instanceof ObjectStoreError, String(error));
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error)} ${String(error.cause)}`, /canary/);
    return error;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const xml =
  (status: number, code: string, headers: Record<string, string> = {}, more = ''): RequestListener =>
  (_request, response) =>
    response
      .writeHead(status, { 'content-type': 'application/xml', ...headers })
      .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>of AKIA-canary-0001</Message>${more}</Error>`);

const page = (body: string): RequestListener => {
  const text = `<?xml version="1.0"?><ListBucketResult><KeyCount>0</KeyCount>${body}</ListBucketResult>`;
  return (_request, response) => response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
};

for (const [what, answer, code, says] of [
  ['a bucket that is missing', xml(404, 'NoSuchBucket'), 's3-bucket-missing', /s3:\/\/bucket\/x\//],
  ['denied access', xml(403, 'AccessDenied'), 's3-access-denied', /s3:ListBucket/],
  ['credentials that expired', xml(400, 'ExpiredToken'), 's3-credentials-refused', /expired: renew/],
  [
    'an access key that nobody knows',
    xml(403, 'InvalidAccessKeyId'),
    's3-credentials-refused',
    /check s3\.accessKeyId/,
  ],
  ['a clock that is wrong', xml(403, 'RequestTimeTooSkewed'), 's3-credentials-refused', /clock/],
  [
    'another region, by a redirect',
    xml(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'us-west-2' }),
    's3-wrong-region',
    /Set s3\.region \(AWS_REGION\) to us-west-2/,
  ],
  [
    'another region, by a refusal',
    xml(400, 'AuthorizationHeaderMalformed', {}, '<Region>us-west-2</Region>'),
    's3-wrong-region',
    /us-west-2/,
  ],
  ['a page of HTML', (_request, response) => response.end('<html>hello</html>'), 's3-not-storage', /s3\.endpoint/],
  ['404 without a word', (_request, response) => response.writeHead(404).end(), 's3-not-storage', /404/],
  ['a refusal of its own', xml(400, 'OddRequest'), 's3-refused', /OddRequest/],
  ['a list that does not lead on', page('<IsTruncated>true</IsTruncated>'), 's3-not-storage', /lead on/],
  [
    'a list that leads to itself',
    page('<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>'),
    's3-not-storage',
    /lead on/,
  ],
] as const satisfies readonly (readonly [string, RequestListener, string, RegExp])[]) {
  test(`${what} ends with ${code}, which says what to do`, async () => {
    const error = await failureOf(answer);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, says);
  });
}

test('an answer is judged by its code, and without one by its status: what passes is waited for, the rest is not', () => {
  for (const [name, status, code, retry] of [
    ['RequestTimeout', 400, 's3-failing', true],
    ['UnknownError', 429, 's3-failing', true],
    ['UnknownError', 500, 's3-failing', true],
    ['UnknownError', 504, 's3-failing', true],
    ['UnknownError', 401, 's3-access-denied', false],
    ['UnknownError', 307, 's3-wrong-region', false],
    ['UnknownError', 400, 's3-refused', false],
  ] as const) {
    const error = Object.assign(new Error('of the SDK'), { name, $metadata: { httpStatusCode: status } });
    const asked = { what: 's3://b/k', host: 'h', region: 'r', section: 's3', doing: 'write' } as const;
    const failure = storageFailure(error, asked);
    assert.ok(failure instanceof ObjectStoreError);
    assert.deepEqual([failure.code, failure.retry], [code, retry], `${status} ${name}`);
  }
});

test('a storage that fails for a moment is asked again', async () => {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (asked === 1) request.socket.resetAndDestroy();
    else if (asked === 2) xml(503, 'SlowDown')(request, response);
    else page('<IsTruncated>false</IsTruncated>')(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using store = await connectObjectStore({ ...KEYS, endpoint }, undefined);
  assert.deepEqual(await store.list({ bucket: 'bucket', key: '' }, never), []);
  assert.equal(asked, 3);
  server.closeAllConnections();
  server.close();
});

/** What becomes of an object that is put to a storage that answers so, once it has all of it. */
async function putTo(
  answer: (headers: IncomingHttpHeaders, body: Buffer) => readonly [number, OutgoingHttpHeaders, string?],
) {
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const [status, headers, text] = answer(request.headers, body);
      response.writeHead(status, headers).end(text);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using store = await connectObjectStore({ ...KEYS, endpoint }, undefined, 'sinks.lake');
  try {
    await store.put({ bucket: 'bucket', key: 'k' }, Buffer.from('some records'), never);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a 200 of whoever stands before the storage is not taken for an object that was written', async () => {
  const page = '<html>Log in</html>';
  for (const headers of [{}, { etag: 'W/"13-abc"' }])
    await assert.rejects(
      putTo(() => [200, { 'content-type': 'text/html', ...headers }, page]),
      { code: 's3-not-storage', retry: false, message: /s3:\/\/bucket\/k .*Check sinks\.lake\.endpoint/ },
    );
  await putTo(() => [200, { etag: '"0cc175b9"' }]);
});

test('a bucket that locks its objects takes what is put, by its MD5', async () => {
  const refusal =
    '<Error><Code>InvalidRequest</Code><Message>Content-MD5 is required with Object Lock</Message></Error>';
  await putTo((headers, body) =>
    headers['content-md5'] === createHash('md5').update(body).digest('base64')
      ? [200, { etag: '"0cc175b9"' }]
      : [400, { 'content-type': 'application/xml' }, refusal],
  );
});

test('a bucket that demands an encryption is written, and tried, with what the settings say of it', async () => {
  const headers = { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-acl': 'bucket-owner-full-control' };
  const signed = /SignedHeaders=[^,]*x-amz-acl;[^,]*x-amz-server-side-encryption[;,]/;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.method!);
    const isAsDemanded = Object.entries(headers).every(([name, value]) => request.headers[name] === value);
    // An upload is given up without them.
    if (request.method === 'DELETE') response.writeHead(204).end();
    else if (!isAsDemanded || !signed.test(request.headers.authorization!)) xml(403, 'AccessDenied')(request, response);
    else {
      const upload = '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>';
      response.writeHead(200, { etag: '"0cc175b9"' }).end(request.method === 'POST' ? upload : '');
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const address = { bucket: 'bucket', key: 'k' };
  try {
    await using store = await connectObjectStore({ ...KEYS, endpoint, headers }, undefined);
    await store.tryPut(address, never);
    await store.put(address, Buffer.from('x'), never);
    assert.deepEqual(asked, ['POST', 'DELETE', 'PUT']);
    await using without = await connectObjectStore({ ...KEYS, endpoint }, undefined);
    await assert.rejects(without.tryPut(address, never), { code: 's3-access-denied' });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('where nobody listens, and where no region or name is known, it says so; an abort ends the wait', async () => {
  const at = async (settings: object) => connectObjectStore({ ...KEYS, ...settings }, undefined);
  const listed = async (settings: object, signal = never) =>
    (await at(settings)).list({ bucket: 'bucket', key: '' }, signal);
  await assert.rejects(listed({ endpoint: 'http://127.0.0.1:9' }), { code: 's3-unreachable', message: /ECONNREFUSED/ });
  await assert.rejects(listed({ endpoint: 'https://no-such-host.invalid' }), { code: 's3-unreachable' });
  const stop = new AbortController();
  stop.abort(new Error('stop'));
  await assert.rejects(listed({ endpoint: 'http://127.0.0.1:9' }, stop.signal), /stop/);
});

test('errors name the settings where they stand, and leave the name of a host alone', async () => {
  const hosts = { endpoint: 'https://s3.storage.invalid' };
  await using store = await connectObjectStore({ ...KEYS, ...hosts }, undefined, 'sinks.lake');
  await assert.rejects(store.list({ bucket: 'bucket', key: '' }, never), {
    message: /^s3\.storage\.invalid cannot .* Check sinks\.lake\.endpoint, sinks\.lake\.region, network/,
  });
  for (const [answer, remedy] of [
    [xml(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'us-west-2' }), 'Set sinks.lake.region to us-west-2.'],
    [xml(403, 'InvalidAccessKeyId'), 'check sinks.lake.accessKeyId and sinks.lake.endpoint.'],
    [page('<IsTruncated>true</IsTruncated>'), 'Check sinks.lake.endpoint: it is the origin of the API'],
  ] as const) {
    const { message } = await failureOf(answer, 'sinks.lake');
    assert.ok(message.includes(remedy), message);
  }
});

test('a key that a URL would change is refused, and others stand in a link as they were signed', async () => {
  await using store = await connectObjectStore({ ...KEYS, endpoint: 'http://127.0.0.1:9' }, undefined);
  for (const key of ['a/../b.zip', './b.zip', 'a/..']) {
    await assert.rejects(store.signedLink({ bucket: 'bucket', key }), { code: 's3-key-unusable' });
  }
  for (const key of ['a//b..zip', '...', ' a\t?#%2e%2E/ä', 'a\\b', "!'()*~"]) {
    const link = await store.signedLink({ bucket: 'bucket', key });
    assert.equal(new URL(link).href, link, key);
    assert.equal(decodeURIComponent(new URL(link).pathname), `/bucket/${key}`);
  }
});
