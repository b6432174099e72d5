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

test('what a word may show: scheme, host and path; no user, no query, no fragment, wherever they stand', () => {
  for (const [word, shown] of [
    ['https://h.example?sig=canary', 'https://h.example?[redacted]'],
    ['https://h.example/a?canary#canary', 'https://h.example/a?[redacted]'],
    ['https://h.example/a#canary', 'https://h.example/a?[redacted]'],
    ['/a/b?sig=canary', '/a/b?[redacted]'],
    ['/a/b#sig=canary', '/a/b?[redacted]'],
    ['a/b.zip?sig=canary', 'a/b.zip?[redacted]'],
    ['/?sig=canary', '/?[redacted]'],
    // A link inside of a link's query hides nothing of what stands before it.
    ['/a?sig=canary&next=https://h.example/b', '/a?[redacted]'],
    ['/a?sig=canary&next=https://h.example/b?x', '/a?[redacted]'],
    ['?sig=canary&next=https://h.example/b', '?[redacted]'],
    ['https://u:canary@h.example/a', 'https://[redacted]@h.example/a'],
    ['https://canary@h.example', 'https://[redacted]@h.example'],
    ['://u:canary@h.example', '://[redacted]@h.example'],
    ['a://h,b://u:canary@i,c://canary@j', 'a://h,b://[redacted]@i,c://[redacted]@j'],
    ['https://user:canary@h.example/a', 'https://[redacted]@h.example/a'],
    ['https://user@h.example', 'https://user@h.example'],
    ['https://h.example/a@b', 'https://h.example/a@b'],
    // No queries: a question, a fragment of text, an assignment.
    ['/a/b?', '/a/b?'],
    ['a/b#2', 'a/b#2'],
    ['what?x=1', 'what?x=1'],
    ['x=1/a?b', 'x=1/a?b'],
    ['what?/x=1', 'what?/x=1'],
  ])
    assert.equal(redactText(`see ${word} there`), `see ${shown} there`);
});

test('a login in a text goes, and what says which kind it was stays', () => {
  for (const scheme of ['Bearer', 'Basic', 'Digest', 'Negotiate', 'bearer'])
    assert.equal(redactText(`it took ${scheme} ${canary}/+==, once`), `it took ${scheme} [redacted], once`);
  assert.equal(redactText('Basic rules, Bearer of it'), 'Basic rules, Bearer of it');
  assert.equal(redactText(`of eyJhbGciOi.${canary}.c2ln-_ it`), 'of [redacted] it');
  const names = [
    'password',
    'sslPassword',
    'passwd',
    'passphrase',
    'client_secret',
    'access_token',
    'api-key',
    'api_key',
  ];
  const keys = ['apiKey', 'access-key', 'access_key_id', 'accessKeyId', 'X-Amz-Signature', 'x-amz-credential'];
  for (const name of [...names, ...keys, 'Authorization', 'cookie', 'Set-Cookie']) {
    for (const [said, shown] of [
      [`{ "${name}": "${canary} b\\"c" }`, `{ "${name}": "[redacted]" }`],
      [`${name} = '${canary} b'.`, `${name} = '[redacted]'.`],
      [`a=1&${name}=${canary}&b=2`, `a=1&${name}=[redacted]&b=2`],
      [`${name}=${canary};b=2`, `${name}=[redacted];b=2`],
    ] as const)
      assert.equal(redactText(said), shown);
  }
  for (const name of ['Authorization', 'cookie', 'Set-Cookie', 'X-Api-Key'])
    assert.equal(redactText(`${name}: a ${canary}; b\nnext`, { keepLines: true }), `${name}: [redacted]\nnext`);
});

test('a secret is hidden from eight characters on: a shorter one may be a word', () => {
  for (const secret of ['seven-7', 'eight--8']) hideSecret(secret);
  assert.equal(redactText('seven-7 eight--8'), 'seven-7 [redacted]');
});

test('a text that is too long says how much of it is missing, and is cut between words', () => {
  const word = `${'x'.repeat(15)} `;
  const longest = word.repeat(2048);
  assert.equal(redactText(longest), longest);
  assert.equal(redactText(`${longest}yz`), `${longest.slice(0, -1)} [3 characters more]`);
  const line = longest.replaceAll(' ', '\n');
  assert.match(redactText(`${line}yz`, { keepLines: true }), /x \[3 characters more\]$/);
  assert.equal(redactText(`${'y'.repeat(40_000)} z`), ' [40002 characters more]');
});

test('values of secret names are hidden at any depth, pairs in a list too; flags, nothing and ordinary values stay', () => {
  const kept = {
    token: true,
    password: null,
    list: ['accept', 'authorization', 'text/html'],
    text: [`${'x'.repeat(64)} password`, 'next'],
    type: { type: 'Buffer' },
    data: { data: [1, 2] },
    both: { type: 'Buffer', data: 'x' },
    numbers: [1, 'authorization'],
  };
  assert.deepEqual(redactJson(kept), kept);
  const hidden = redactJson({
    password: 12_345_678,
    credentials: { user: canary },
    list: ['accept', 'x', 'authorization', canary, `${'x'.repeat(55)}password`, canary],
    bytes: { type: 'Buffer', data: [1, 2] },
  });
  assert.deepEqual(hidden, {
    password: '[redacted]',
    credentials: '[redacted]',
    list: ['accept', 'x', 'authorization', '[redacted]', `${'x'.repeat(55)}password`, '[redacted]'],
    bytes: '[bytes]',
  });
  assert.deepEqual(redactJson({ 'a://h?1': 1, 'a://h?2': 2 }), { 'a://h?[redacted]': 2 }, 'names that become one');
});

test('names of secrets are known in any spelling, and ordinary names are not taken for them', () => {
  for (const name of [
    ...['password', 'DB_PASSWORD', 'passwd', 'DB_PWD', 'keyPassphrase', 'client-secret', 'secretKey', 'SECRET_KEY'],
    ...['x-api-key', 'accessToken', 'Set-Cookie', 'cookies', 'Authorization', 'Proxy-Authorization', 'accessKey'],
    ...['accessKeyId', 'SECRET_ACCESS_KEY', 'privateKey', 'private key', 'X-Amz-Signature', 'credential'],
    ...['credentials', 'sasl.jaas.config'],
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
  // One that was issued twice is hidden as long as its last time is among the latest.
  for (let nth = 200; nth < 299; nth += 1) hideIssuedToken(token(nth));
  hideIssuedToken(token(200));
  hideIssuedToken(token(300));
  assert.doesNotMatch(redactText(token(200)), /canary/);
  for (let nth = 301; nth <= 399; nth += 1) hideIssuedToken(token(nth));
  assert.match(redactText(token(200)), /canary/);
});
