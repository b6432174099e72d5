import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { countColons } from '../fixtures/count-colons.ts';
import { createRecordValidator, type InvalidRecord, type ValidRecord } from './record-validator.ts';

const validator = createRecordValidator();
const validate = (text: string) => validator.validate(Buffer.from(text), countColons(text));
const head = '"conversationId":"c-1","conversationStart":"2026-09-14T13:02:11.417Z"';

function accepted(result: ValidRecord | InvalidRecord): ValidRecord {
  if (!result.ok) assert.fail(JSON.stringify(result));
  return result;
}

function refused(result: ValidRecord | InvalidRecord, code: string): InvalidRecord {
  assert.ok(!result.ok, 'should have been refused');
  assert.equal(result.code, code);
  assert.ok(result.reasons.length > 0);
  return result;
}

for (const name of ['call-queue-transfer', 'email-open', 'message-webmessaging']) {
  test(`the sample ${name} is valid, as it is and with a field that nobody knows`, () => {
    const text = readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8');
    const value = JSON.parse(text) as { conversationId: string };
    const result = accepted(validate(text));
    assert.equal(result.conversationId, value.conversationId);
    accepted(validate(JSON.stringify({ ...value, somethingNew: { deep: [1, { x: null }] } })));
  });
}

test('an ordinary record is not parsed', (t) => {
  const parse = t.mock.method(JSON, 'parse');
  accepted(validate(`{${head},"somethingNew":{"x":["Zoë \\"A\\""]}}`));
  assert.equal(parse.mock.callCount(), 0);
});

test('what is valid JSON passes, however odd: lone surrogates, long numbers, hostile names', () => {
  for (const odd of [
    '"x":"\\ud800"',
    '"x":9007199254740993,"y":1e400,"z":-0,"w":0.1000000000000000055511151231257827',
    '"mediaStatsMinConversationMos":1e400',
    '"participants":[{"attributes":{"__proto__":"a","constructor":"b","":"c","hasOwnProperty":"d"}}]',
    '"a:b":{"c:d":"e:f\\":"}',
    '"x":"\\u0000\\u001b[31m"',
    '"x":"Zoë 東京 \u{1f600}"',
  ]) {
    accepted(validate(`{${head},${odd}}`));
  }
});

test('a __proto__ member is data: no prototype changes, here or anywhere', () => {
  // With an escape in a name, which is read by other code.
  for (const name of ['x', '\\u0078']) {
    accepted(validate(`{${head},"__proto__":{"polluted":true},"${name}":{"__proto__":{"y":1}}}`));
  }
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  // Counting with `for in` relies on this.
  for (const name in {}) assert.fail(`Object.prototype has an enumerable ${name}`);
});

test('a key given twice is refused, also through escapes, at any depth, with the place and without the value', () => {
  const twice = refused(
    validate(`{${head},"participants":[{"purpose":"Secret","purp\\u006fse":"agent"}]}`),
    'duplicate-key',
  );
  assert.deepEqual(twice.reasons, ['/participants/0/purpose: duplicate key']);
  assert.equal(twice.conversationId, 'c-1');
  assert.equal(refused(validate(`{${head},"conversationId":"c-2"}`), 'duplicate-key').conversationId, undefined);
  refused(validate(`{${head},"x":{"__proto__":1,"__proto__":2}}`), 'duplicate-key');
});

test('a record whose keys V8 misreads is judged by what it says', () => {
  for (let round = 0; round < 3; round += 1) {
    accepted(validate(`{${head},"\\\\":1}`));
    accepted(validate(`{${head},"\\u0061":1}`));
    accepted(validate(`{${head},"\\\\":1,"\\u0061":2,"\\"":3}`));
    refused(validate(`{${head},"\\u0061":1,"a":2}`), 'duplicate-key');
  }
});

test('a miscount that no repeated key explains is a bug and says so', () => {
  assert.throws(() => validator.validate(Buffer.from(`{${head}}`), 3), /counted 3 members where there are 2/);
});

test('bytes that are not UTF-8 are refused: overlong, cut, surrogates, Latin-1', () => {
  for (const bad of [[0xc0, 0xaf], [0xe6, 0x9d], [0xed, 0xa0, 0x80], [0xe9], [0xff], [0xf4, 0x90, 0x80, 0x80]]) {
    const bytes = Buffer.concat([Buffer.from(`{${head},"x":"`), Buffer.from(bad), Buffer.from('"}')]);
    refused(validator.validate(bytes, 3), 'invalid-utf8');
  }
});

test('what is not JSON is refused without quoting the text', () => {
  for (const bad of [
    '',
    '{',
    `{${head},}`,
    `{${head},"x":NaN}`,
    `\ufeff{${head}}`,
    `{${head},"x":Müller}`,
    `{${head}} {}`,
    `{'a':1}`,
  ]) {
    const { reasons } = refused(validate(bad), 'invalid-json');
    assert.match(reasons.join(), /^\/: not valid JSON( at character \d+)?$/);
  }
});

test('what is no object is refused by kind', () => {
  for (const [text, kind] of [
    ['null', 'null'],
    ['[]', 'array'],
    ['"x"', 'string'],
    ['1', 'number'],
  ] as const) {
    assert.deepEqual(refused(validate(text), 'not-an-object').reasons, [`/: type (object), found ${kind}`]);
  }
});

test('a violation names every place and keyword, and nothing of the data', () => {
  const text = `{"conversationId":"c-1","conversationStart":"yesterday at Müller's","selfServed":"Müller",
    "participants":[{"attributes":{"Müller":4},"sessions":[{"metrics":[{"value":0.5}]}]}]}`;
  const { reasons, conversationId } = refused(validate(text), 'schema-violation');
  assert.deepEqual([...reasons].sort(), [
    '/conversationStart: format (date-time)',
    '/participants/0/attributes/*: type (string)',
    '/participants/0/sessions/0/metrics/0/value: type (integer)',
    '/selfServed: type (boolean)',
  ]);
  assert.equal(conversationId, 'c-1');
  assert.deepEqual(refused(validate('{}'), 'schema-violation').reasons, [
    '/: required (conversationId)',
    '/: required (conversationStart)',
  ]);
  for (const id of ['""', '7', 'null']) {
    const result = refused(
      validate(`{"conversationId":${id},"conversationStart":"2026-09-14T13:02:11Z"}`),
      'schema-violation',
    );
    assert.equal(result.conversationId, undefined);
  }
});

test('a record with thousands of faults gives a bounded number of reasons', () => {
  const participants = Array.from({ length: 5000 }, () => '{"purpose":1}').join(',');
  assert.equal(refused(validate(`{${head},"participants":[${participants}]}`), 'schema-violation').reasons.length, 20);
});

test('the whole schema stops at the first fault: all of them at once take time that grows with their square', () => {
  // Of one place whose demands cannot be told apart, what stops tells one fault, and what does not stop tells both.
  const schema = { type: 'object', properties: { x: { not: { const: 1 }, type: 'number', maximum: 0 } } };
  const result = createRecordValidator({ schema }).validate(Buffer.from('{"conversationId":"c","x":1}'), 2);
  assert(!result.ok);
  assert.equal(result.reasons.length, 1, result.reasons.join('; '));
});

test('depth that the scanner would let through is no matter for the stack', () => {
  const depth = 10_000;
  accepted(validate(`{${head},"x":${'{"y":['.repeat(depth)}${']}'.repeat(depth)}}`));
});

test('any JSON object with the two required fields is accepted with its id, and never throws otherwise', () => {
  const unknownName = fc.string().map((name) => `x-${name}`);
  fc.assert(
    fc.property(fc.dictionary(unknownName, fc.jsonValue()), fc.string({ minLength: 1 }), (extra, id) => {
      const text = JSON.stringify({ conversationId: id, conversationStart: '2026-09-14T13:02:11Z', ...extra });
      assert.equal(accepted(validate(text)).conversationId, id);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      assert.equal(validator.validate(bytes, 0).ok, false);
    }),
  );
});

test('another schema may be given; without a key in it, a record still needs one', () => {
  const open = createRecordValidator({ schema: { type: 'object' } });
  assert.deepEqual(open.validate(Buffer.from('{}'), 0), {
    ok: false,
    code: 'schema-violation',
    reasons: ['/conversationId: required'],
  });
  assert.throws(() => createRecordValidator({ schema: { type: 'object', propertees: {} } }), /strict mode/);
});

test('a schema that refers to another place is refused at once, and nothing is fetched from there', async (t) => {
  let asked = 0;
  const server = createServer((_request, response) => response.end('{}'))
    .on('connection', () => (asked += 1))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const $ref of [`http://127.0.0.1:${port}/s.json`, 'file:///etc/passwd', 'other.json', '#/definitions/none']) {
    const schemas: object[] = [{ $ref }, { type: 'object', properties: { a: { $ref } } }];
    for (const schema of schemas) assert.throws(() => createRecordValidator({ schema }), /can't resolve reference/);
  }
  const $schema = `http://127.0.0.1:${port}/meta.json`;
  assert.throws(() => createRecordValidator({ schema: { $schema, type: 'object' } }), /no schema with key or ref/);
  await setImmediate();
  assert.equal(asked, 0);
});
