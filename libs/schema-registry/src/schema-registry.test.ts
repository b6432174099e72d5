import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expiredPair, strangerPair, testAuthority, tlsListener, trustedPair } from '@genesys-kafka/testing';
import { createSchemaRegistry, SchemaRegistryError } from './index.ts';
import type { OnAnswer } from './schema-registry.ts';

const SUBJECT = 'genesys.conversation-details-value';
/** With what the client's own Ajv refuses: a format, a later draft and an unknown keyword. */
const SCHEMA = JSON.stringify({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { at: { type: 'string', format: 'date-time' } },
  'x-own': true,
});
const LOGIN = { username: 'someone', password: 'pa:ss w0rd' };

type Answer = readonly [status: number, body: unknown];
type Answers = Readonly<Record<string, Answer | readonly Answer[]>>;

/** A registry that answers by method and path, one after the other where there are several; keeps what it was asked. */
async function registry(t: TestContext, answers: Answers | RequestListener) {
  const asked: { readonly call: string; readonly auth: string | undefined; readonly body: unknown }[] = [];
  const counts = new Map<string, number>();
  const scripted: RequestListener = (request, response) => {
    const call = `${request.method!} ${request.url!}`;
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      asked.push({ call, auth: request.headers.authorization, body: body === '' ? undefined : JSON.parse(body) });
      const scriptedAnswers = (answers as Answers)[call];
      const several = Array.isArray(scriptedAnswers?.[0]) ? (scriptedAnswers as readonly Answer[]) : undefined;
      const count = counts.get(call) ?? 0;
      counts.set(call, count + 1);
      const answer = several ? several[Math.min(count, several.length - 1)] : (scriptedAnswers as Answer | undefined);
      const [status, content] = answer ?? [404, { error_code: 40401, message: `nothing at ${call}` }];
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
      response.end(typeof content === 'string' ? content : JSON.stringify(content));
    });
  };
  const server = createServer(typeof answers === 'function' ? answers : scripted);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/apis/ccompat/v7`;
  return { url, asked, calls: () => asked.map(({ call }) => call.replace('/apis/ccompat/v7', '')) };
}

const resolve = (url: string, mode: 'auto' | 'require-registered', options = {}) =>
  createSchemaRegistry({ url, timeoutMs: 1000, ...options }).resolveId({
    subject: SUBJECT,
    schema: SCHEMA,
    mode,
    compatibility: 'FORWARD',
  });

const failure = (code: SchemaRegistryError['code'], retry: boolean, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SchemaRegistryError, String(error));
  assert.deepEqual([error.code, error.retry], [code, retry], error.message);
  assert.match(error.message, text);
  assert.ok(!error.message.includes('w0rd'));
  return true;
};

const at = (path: string) => `/apis/ccompat/v7${path}`;
const CONFIG = at(`/config/${SUBJECT}`);
const VERSIONS = at(`/subjects/${SUBJECT}/versions`);

test('auto registers the schema as it is and gives a subject without a level the one asked for', async (t) => {
  const { url, asked, calls } = await registry(t, {
    [`POST ${VERSIONS}`]: [200, { id: 7 }],
    [`PUT ${CONFIG}`]: [200, { compatibility: 'FORWARD' }],
  });
  assert.equal(await resolve(url, 'auto', LOGIN), 7);
  assert.deepEqual(calls(), [`GET /config/${SUBJECT}`, `POST /subjects/${SUBJECT}/versions`, `PUT /config/${SUBJECT}`]);
  assert.deepEqual(asked[1]!.body, { schemaType: 'JSON', schema: SCHEMA });
  assert.deepEqual(asked[2]!.body, { compatibility: 'FORWARD' });
  const header = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`;
  assert.ok(asked.every(({ auth }) => auth === header));
});

test('a level that the subject has already is left alone and does not stop the registration', async (t) => {
  const { url, calls } = await registry(t, {
    [`GET ${CONFIG}`]: [200, { compatibilityLevel: 'FULL_TRANSITIVE' }],
    [`POST ${VERSIONS}`]: [200, { id: 8 }],
  });
  assert.equal(await resolve(url, 'auto'), 8);
  assert.ok(!calls().some((call) => call.startsWith('PUT')));
});

test('require-registered looks the exact schema up and writes nothing', async (t) => {
  const { url, asked, calls } = await registry(t, {
    [`POST ${at(`/subjects/${SUBJECT}`)}`]: [200, { id: 9, version: 1 }],
  });
  assert.equal(await resolve(url, 'require-registered'), 9);
  assert.deepEqual(calls(), [`POST /subjects/${SUBJECT}`]);
  assert.deepEqual(asked[0]!.body, { schemaType: 'JSON', schema: SCHEMA });
  const empty = await registry(t, {});
  await assert.rejects(
    resolve(empty.url, 'require-registered'),
    failure(
      'schema-not-registered',
      false,
      /register libs\/conversation\/.* as it is, or set schema\.register: auto\.$/,
    ),
  );
});

test('each refusal has a code and says what to do', async (t) => {
  const cases: readonly (readonly [Answer, SchemaRegistryError['code'], boolean, RegExp])[] = [
    [
      [409, { error_code: 409, message: 'PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL' }],
      'schema-incompatible',
      false,
      /PROPERTY_ADDED.+level to FORWARD/,
    ],
    [
      [401, { error_code: 401, message: 'Unauthorized' }],
      'registry-authentication-failed',
      false,
      /SCHEMA_REGISTRY_PASSWORD/,
    ],
    [
      [403, { error_code: 403, message: 'Forbidden' }],
      'registry-authorization-failed',
      false,
      /register: require-registered/,
    ],
    [[422, { error_code: 42201, message: 'Invalid schema' }], 'schema-invalid', false, /Invalid schema/],
    [[404, '<html>no such page</html>'], 'registry-failed', false, /\/apis\/ccompat\/v7/],
    [[200, '<html>welcome</html>'], 'registry-failed', false, /does not speak Confluent/],
  ];
  for (const [answer, code, retry, text] of cases) {
    const known: Answer = [200, { compatibilityLevel: 'FORWARD' }];
    const { url } = await registry(t, { [`GET ${CONFIG}`]: known, [`POST ${VERSIONS}`]: answer });
    await assert.rejects(resolve(url, 'auto', LOGIN), failure(code, retry, text));
  }
  const { url } = await registry(t, { [`GET ${CONFIG}`]: [401, { error_code: 401, message: 'Unauthorized' }] });
  await assert.rejects(resolve(url, 'auto'), failure('registry-authentication-failed', false, /Unauthorized/));
});

test('a registry that fails for a moment is asked again, one that stays broken is reported as worth a retry', async (t) => {
  const answers = {
    [`POST ${VERSIONS}`]: [[503, { message: 'starting' }] as const, [200, { id: 7 }] as const],
    [`PUT ${CONFIG}`]: [200, {}] as const,
  };
  assert.equal(await resolve((await registry(t, answers)).url, 'auto'), 7);
  const { url } = await registry(t, { [`POST ${VERSIONS}`]: [500, { message: 'no leader' }] });
  await assert.rejects(resolve(url, 'auto'), failure('registry-unreachable', true, /no leader/));
});

test('no answer, half an answer and a refused connection end within the time given', async (t) => {
  const silent = await registry(t, () => undefined);
  const half = await registry(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{');
    setImmediate(() => response.socket?.destroy());
  });
  for (const url of [silent.url, half.url, 'http://127.0.0.1:1/x']) {
    const hasty = createSchemaRegistry({ url: url.replace('//', '//user:w0rd@'), timeoutMs: 150 });
    await assert.rejects(hasty.check(), failure('registry-unreachable', true, /Check SCHEMA_REGISTRY_URL/));
    const started = performance.now();
    await assert.rejects(hasty.schemaById(1), failure('registry-unreachable', true, /find schema 1/));
    // It would be five seconds by default.
    assert.ok(performance.now() - started < 4500);
  }
});

test('a certificate that has expired, or that nobody trusts, and TLS 1.1 are told as that, with the first connection', async () => {
  const usual = getCACertificates('default');
  setDefaultCACertificates([...usual, testAuthority]);
  try {
    const cases = [
      [expiredPair, undefined, /expired.*valid/],
      [strangerPair, undefined, /certificate.*tls\.caFile/],
      [trustedPair, 'TLSv1.1', /TLS 1\.2 or later/],
    ] as const;
    for (const [pair, version, text] of cases) {
      await using server = await tlsListener(pair, version);
      const url = `https://user:w0rd@${server.address}`;
      await assert.rejects(resolve(url, 'auto'), failure('tls-failed', false, text));
      await assert.rejects(createSchemaRegistry({ url }).check(), failure('tls-failed', false, text));
      assert.deepEqual(server.counts, { connections: 2, trusted: 0 });
    }
  } finally {
    setDefaultCACertificates(usual);
  }
});

test('a schema is found by its id, and one that was not there may be there later', async (t) => {
  const { url } = await registry(t, {
    [`GET ${at('/schemas/ids/1')}`]: [200, { schemaType: 'JSON', schema: '{}' }],
    [`GET ${at('/schemas/ids/2')}`]: [200, { schema: '{"type":"string"}' }],
    [`GET ${at('/schemas/ids/3')}`]: [
      [404, { error_code: 40403, message: 'Schema 3 not found' }] as const,
      [200, { schemaType: 'PROTOBUF', schema: 'x' }] as const,
    ],
  });
  const schemas = createSchemaRegistry({ url });
  assert.deepEqual(await schemas.schemaById(1), { type: 'JSON', schema: '{}' });
  assert.deepEqual(await schemas.schemaById(2), { type: 'AVRO', schema: '{"type":"string"}' });
  await assert.rejects(schemas.schemaById(3), failure('unknown-schema-id', false, /Schema 3 not found/));
  assert.equal((await schemas.schemaById(3)).type, 'PROTOBUF');
});

test('check wants the answer of a registry that knows JSON Schema', async (t) => {
  const good = await registry(t, { [`GET ${at('/schemas/types')}`]: [200, ['JSON', 'PROTOBUF', 'AVRO']] });
  await createSchemaRegistry({ url: `${good.url}/` }).check();
  const other = await registry(t, { [`GET ${at('/schemas/types')}`]: [200, '<html>'] });
  await assert.rejects(
    createSchemaRegistry({ url: other.url }).check(),
    failure('registry-failed', false, /Check the path/),
  );
});

test('only the code of the registry itself says that an id is unknown, not a page of something before it', async (t) => {
  const odd: readonly (readonly [Answer, SchemaRegistryError['code']])[] = [
    [[404, '<html>no such page</html>'], 'registry-failed'],
    [[404, { error_code: 404, message: 'HTTP 404 Not Found' }], 'registry-failed'],
    [[400, { message: 'no' }], 'registry-failed'],
    [[200, '<html>log in</html>'], 'registry-failed'],
    [[404, 'null'], 'registry-failed'],
    [[401, '<html>'], 'registry-authentication-failed'],
  ];
  for (const [answer, code] of odd) {
    const { url } = await registry(t, { [`GET ${at('/schemas/ids/1')}`]: answer });
    await assert.rejects(createSchemaRegistry({ url }).schemaById(1), { code });
  }
});

for (const mode of ['auto', 'require-registered'] as const) {
  test(`${mode}: answers are shown with the times around them; what that throws ends the call as it is`, async (t) => {
    const { url, calls } = await registry(t, {
      [`POST ${VERSIONS}`]: [200, { id: 7 }],
      [`POST ${at(`/subjects/${SUBJECT}`)}`]: [200, { id: 7, subject: SUBJECT, version: 1, schema: SCHEMA }],
      [`PUT ${CONFIG}`]: [200, { compatibility: 'FORWARD' }],
      [`GET ${at('/schemas/types')}`]: [200, ['JSON']],
    });
    let shown = 0;
    const onAnswer = ({ host, headers, sentMs, receivedMs }: Parameters<OnAnswer>[0]) => {
      shown += 1;
      assert.equal(host, new URL(url).host);
      assert.ok(headers.date !== undefined && sentMs > 0 && sentMs <= receivedMs);
    };
    await resolve(url, mode, { onAnswer });
    assert.ok(shown > 0 && shown <= calls().length);
    const skewed = new Error('the clock is wrong');
    const refuse = () => {
      throw skewed;
    };
    await assert.rejects(resolve(url, mode, { onAnswer: refuse }), (error) => error === skewed);
    await assert.rejects(createSchemaRegistry({ url, onAnswer: refuse }).check(), (error) => error === skewed);
  });
}

test('what a registration would come to is asked for without one; a registry that cannot be asked is no yes', async (t) => {
  const asking = `POST /apis/ccompat/v7/compatibility/subjects/${SUBJECT}/versions`;
  const tried = async (...answer: Answer) => {
    const { url, asked } = await registry(t, { [asking]: answer });
    const result = await createSchemaRegistry({ url, timeoutMs: 1000 })
      .tryRegister({ subject: SUBJECT, schema: SCHEMA })
      .catch((error: unknown) => (error as SchemaRegistryError).code);
    assert.deepEqual(
      asked.map(({ call, body }) => ({ call, body })),
      [{ call: asking, body: { schemaType: 'JSON', schema: SCHEMA } }],
    );
    return result;
  };
  assert.equal(await tried(200, { is_compatible: true }), true);
  assert.equal(await tried(200, { is_compatible: false }), 'schema-incompatible');
  assert.equal(await tried(404, { error_code: 40401, message: 'Subject not found' }), true);
  assert.equal(await tried(404, { error_code: 404, message: 'HTTP 404 Not Found' }), false);
  assert.equal(await tried(404, '<html>nothing here</html>'), false);
  assert.equal(await tried(403, { error_code: 403, message: 'no' }), 'registry-authorization-failed');
  assert.equal(await tried(200, {}), 'registry-failed');
});
