import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from '@genesys-kafka/delivery';
import fc from 'fast-check';
import { batchKey } from './batch-key.ts';
import { bodyFormat, type BodyOptions } from './body-format.ts';

const delivery = (text: string, ordinal = 1): Delivery => ({
  route: 'crm',
  body: Buffer.from(text),
  key: `c "${ordinal}"`,
  idempotencyKey: `job%201:${ordinal}`,
  recordVersion: BigInt(ordinal),
  contentType: 'application/json',
  headers: {},
});
const body = (options: BodyOptions, ...texts: string[]) =>
  bodyFormat('crm', 5, options)!
    .bodyOf(texts.map((text, index) => delivery(text, index + 1)))
    .toString();

test('law: an array is JSON that holds the bytes of each record untouched, with its key and version', () => {
  const record = fc.record({
    conversationId: fc.oneof(fc.string(), fc.constantFrom('\u2028', '\ud83d', 'Grüße\r\n')),
    n: fc.double(),
  });
  const spaces = fc.constantFrom(undefined, '\n', '\r\n', 2);
  fc.assert(
    fc.property(fc.array(fc.tuple(record, spaces), { minLength: 1, maxLength: 5 }), (records) => {
      const texts = records.map(([value, space]) => JSON.stringify(value, null, space));
      const text = body({ format: 'array' }, ...texts);
      let at = 0;
      for (const one of texts) assert.ok((at = text.indexOf(one, at) + one.length) >= one.length);
      const expected = texts.map((one, index) => ({
        idempotencyKey: `job%201:${index + 1}`,
        recordVersion: index + 1,
        record: JSON.parse(one) as unknown,
      }));
      assert.deepEqual(JSON.parse(text), expected);
      const lines = body({ format: 'ndjson', item: '{{record}}' }, ...texts).split('\n');
      assert.equal(lines.pop(), '');
      assert.deepEqual(
        lines,
        texts.map((one) => one.replaceAll(/[\r\n]/g, ' ')),
      );
    }),
  );
});

test('bare records, an envelope around them, and two lines a record', () => {
  const bare = '{{record}}';
  assert.equal(body({ format: 'array', item: bare }, '{ "n": 1.0 }', '{}'), '[{ "n": 1.0 },{}]');
  assert.equal(
    body({ format: 'array', item: bare, envelope: '{"source":"é","items":{{items}}}' }, '{}', '{}'),
    '{"source":"é","items":[{},{}]}',
  );
  const bulk = '{"index":{"_id":{{key}},"version":{{ recordVersion }}}}\n{{record}}';
  assert.equal(
    body({ format: 'ndjson', item: bulk }, '{"a":\n1}', '{}'),
    '{"index":{"_id":"c \\"1\\"","version":1}}\n{"a": 1}\n{"index":{"_id":"c \\"2\\"","version":2}}\n{}\n',
  );
});

test('the content type tells arrays from lines, and may be set', () => {
  assert.equal(bodyFormat('crm', 1, { format: 'array' })!.contentType, 'application/json');
  assert.equal(bodyFormat('crm', 1, { format: 'ndjson' })!.contentType, 'application/x-ndjson');
  assert.equal(
    bodyFormat('crm', 1, { format: 'ndjson', contentType: 'application/json' })!.contentType,
    'application/json',
  );
  assert.equal(bodyFormat('crm', 1, { format: 'record' }), undefined);
  assert.equal(bodyFormat('crm', 1, {}), undefined);
  assert.equal(bodyFormat('crm', 2, {})!.contentType, 'application/json');
  assert.throws(() => bodyFormat('crm', 1, { item: '{{record}}' }), /choose body\.format/);
});

test('templates that would not give JSON are refused', () => {
  const wrong: [BodyOptions, RegExp][] = [
    [{ format: 'array', item: '{"a":{{nope}}}' }, /body\.item has \{\{nope\}\}; known are \{\{record\}\}/],
    [{ format: 'array', item: '{}' }, /body\.item must hold \{\{record\}\} once/],
    [{ format: 'array', item: '{{record}}{{record}}' }, /once/],
    [{ format: 'array', item: '{"a":{{record}}' }, /body\.item gives no JSON/],
    [{ format: 'array', envelope: '{"a":[{{items}}]' }, /body\.envelope gives no JSON/],
    [{ format: 'array', envelope: '{"a":1}' }, /body\.envelope must hold \{\{items\}\} once/],
    [{ format: 'ndjson', envelope: '{{items}}' }, /body\.envelope is for body\.format array/],
    [{ format: 'ndjson', item: '{"a":\n{{record}}}' }, /gives no JSON/],
    [{ format: 'record' }, /body\.format is record, which holds one/],
  ];
  for (const [options, problem] of wrong)
    assert.throws(
      () => bodyFormat('crm', 5, options),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'sink-option-invalid');
        assert.match(error.message, problem);
        return true;
      },
    );
});

test('law: the same records in the same order have the same key, any others another', () => {
  const keys = fc.array(fc.stringMatching(/^[a-z0-9%:-]{1,8}$/), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      assert.match(batchKey(a), /^batch:[\w-]{43}$/);
      assert.equal(batchKey(a) === batchKey(b), a.join() === b.join());
    }),
  );
});
