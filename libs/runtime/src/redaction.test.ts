import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import fc from 'fast-check';
import { OperationalError } from '@genesys-kafka/resilience';
import { createLogger } from './logger.ts';
import { hideIssuedToken, hideSecret, isSecretName, redactJson, redactText } from './redaction.ts';

const canary = 'CANARY0123456789';

/** Each a place where a secret has been seen in logs; `@` stands for the secret. */
const places = [
  'https://files.example/a.zip?X-Amz-Signature=@&X-Amz-Date=1',
  'GET /a.zip?X-Amz-Signature=@ failed',
  'https://user:@@files.example/a.zip',
  'https://login.example/cb#access_token=@',
  'https://login.example/cb#@',
  'Authorization: Bearer @',
  'authorization: Basic @==',
  'headers: {"authorization":"Bearer @","x":1}',
  '{"client_secret":"@"}',
  "{ client_secret: '@' }",
  'grant_type=client_credentials&client_secret=@&x=1',
  'sasl.jaas.config=org.apache.kafka.X required username="u" password="@";',
  'Set-Cookie: session=@; Path=/',
  'X-Api-Key: @',
  'eyJhbGciOiJSUzI1NiJ9.@.c2lnbmF0dXJl',
  'postgres://user:@@db:5432/x',
  'brokers a://h/x,b://u:@@h/y',
  'redirected to https://a.example/x?y=1 then https://b.example/?sig=@',
];

test('no canary gets through the logger, at trace level, wherever it is planted', async () => {
  const stream = new PassThrough();
  const log = createLogger({ name: 'test', level: 'trace', pretty: false, destination: stream });
  const texts = places.map((place) => place.replace('@', canary));
  for (const planted of texts) {
    const error = new OperationalError('x', `Failed: ${planted}`, {
      cause: new Error(planted, { cause: new Error(planted) }),
    });
    log.trace({ deep: { list: [{ note: planted }], map: new Map([['k', planted]]) } }, 'in %s', planted);
    log.debug(planted);
    log.info({ [planted]: 1 });
    log.error(error);
    log.error({ error, cause: error, reason: error, errors: [error] });
    log.child({ context: { url: planted } }).warn('child');
    log.fatal({ err: Object.assign(new AggregateError([error], planted), { request: { path: planted } }) });
  }
  for (const name of [
    'password',
    'clientSecret',
    'client_secret',
    'Authorization',
    'set-cookie',
    'accessToken',
    'SECRET_ACCESS_KEY',
  ]) {
    log.info({ [name]: canary, deep: [{ [name]: [canary] }], list: [name, canary] });
  }
  hideSecret(`${canary}/+ü`);
  log.info(`as ${encodeURIComponent(`${canary}/+ü`)} or ${Buffer.from(`${canary}/+ü`).toString('base64')}`);
  stream.end();
  const output = await readAll(stream);
  const lines = output.trimEnd().split('\n');
  assert.equal(lines.length, places.length * 7 + 7 + 1);
  for (const line of lines) {
    JSON.parse(line);
    assert.ok(!line.includes(canary), line);
  }
  assert.ok(!output.includes(Buffer.from(`${canary}/+ü`).toString('base64')));
});

test('a readable log is redacted as well, and values cannot forge lines or colours', async () => {
  const stream = new PassThrough();
  const log = createLogger({ name: 'test', level: 'info', pretty: true, destination: stream });
  log.info({ name: 'evil\u001b[2J\r\n[12:00] INFO forged', token: canary }, 'a\u202eb\u0007\nforged');
  stream.end();
  const output = await readAll(stream);
  assert.doesNotMatch(output, new RegExp(canary));
  assert.match(output, /evil\\+u001b\[2J\\+r\\+n\[12:00\] INFO forged/);
  assert.match(output, /a\\u202eb\\u0007\\nforged/);
});

test('what a reader needs stays: hosts, paths, messages, stacks, codes, causes', () => {
  assert.equal(
    redactText('GET https://h.example:8443/a/b.zip?sig=1 gave 403'),
    'GET https://h.example:8443/a/b.zip?[redacted] gave 403',
  );
  assert.equal(redactText('such as postgres://user@db.example/app;'), 'such as postgres://user@db.example/app;');
  assert.equal(redactText('postgres://user@canary@db.example/app'), 'postgres://[redacted]@db.example/app');
  assert.equal(redactText('Is it ready? Yes: 3 tokens, key=5, a/b'), 'Is it ready? Yes: 3 tokens, key=5, a/b');
  const kept = {
    code: 'gone',
    details: { partition: 3, ready: true, token: null },
    list: [1, 'a'],
    stack: 'E: x\n    at y',
  };
  assert.deepEqual(redactJson(kept), kept);
});

test('names of secrets are known in any spelling, and ordinary names are not taken for them', () => {
  for (const name of [
    'password',
    'DB_PASSWORD',
    'x-api-key',
    'accessToken',
    'Set-Cookie',
    'Authorization',
    'sasl.jaas.config',
  ]) {
    assert.ok(isSecretName(name), name);
  }
  for (const name of ['partitionKey', 'tokens', 'conversationId', 'author', 'key', 'cookieCount', 'secrets.md']) {
    assert.ok(!isSecretName(name), name);
  }
});

test('hostile texts are cut and cost little: nothing here is quadratic', () => {
  const startMs = performance.now();
  for (const piece of [
    '/',
    'a://',
    'a',
    'password',
    'eyJaaaaaa',
    'token:"',
    'cookie:',
    '/a?',
    'x@',
    'Basic ',
    '\\\\',
  ]) {
    const text = piece.repeat(1_000_000 / piece.length);
    assert.ok(redactText(text).length < 100_000, piece);
    assert.ok(redactText(`token:"${text}`).length < 100_000, piece);
    // The longest that is looked at whole.
    redactText(text.slice(0, 32_000));
  }
  // A few hundred milliseconds on a slow machine; half a minute when a rule is quadratic.
  assert.ok(performance.now() - startMs < 8000);
});

test('a log line of an error keeps type, message, stack, code, details and causes', async () => {
  const stream = new PassThrough();
  const log = createLogger({ name: 'test', level: 'info', pretty: false, destination: stream });
  log.error(new OperationalError('gone', 'Away.', { details: { partition: 3 }, cause: new RangeError('why') }));
  log.info({ payload: Buffer.from(canary) }, 'bytes');
  stream.end();
  const [first, second] = (await readAll(stream))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const err = first!.err as Record<string, unknown>;
  assert.equal(first!.msg, 'Away.');
  assert.deepEqual([err.type, err.code, err.details], ['OperationalError', 'gone', { partition: 3 }]);
  assert.match(String(err.message), /Away\.: why/);
  assert.match(String(err.stack), /\n {4}at [^]*RangeError: why\n {4}at /);
  assert.equal(second!.payload, '[bytes]');
});

test('any JSON value is copied whole where it holds no secret, and twice is the same as once', () => {
  const plain = fc.jsonValue({ maxDepth: 4, stringUnit: fc.constantFrom('a', 'B', '1', ' ', '.', 'é') as never });
  fc.assert(fc.property(plain, (value) => assert.deepEqual(redactJson(value), value)));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const once = redactJson(value);
      assert.deepEqual(redactJson(once), once);
    }),
  );
});

test('an issued token is hidden in any form, a renewed one too, and what is kept of them is bounded', () => {
  const token = (nth: number) => `token-of-the-day+${nth}/canary`;
  for (let nth = 1; nth <= 100; nth += 1) hideIssuedToken(token(nth));
  for (const nth of [1, 57, 100]) {
    for (const form of [token(nth), encodeURIComponent(token(nth)), Buffer.from(token(nth)).toString('base64')]) {
      assert.equal(redactText(`got "${form}" here`), 'got "[redacted]" here');
    }
  }
  hideSecret(token(2));
  hideIssuedToken(token(101));
  hideIssuedToken(token(101));
  assert.match(redactText(token(1)), /canary/);
  assert.doesNotMatch(redactText(token(101)), /canary/);
});
