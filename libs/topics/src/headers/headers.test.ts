import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deadLetterIdentity, formatDeadLetter, parseDeadLetter, type DeadLetter } from './dead-letter-headers.ts';
import { decodeToken, encodeToken, printableText } from './header-text.ts';
import { formatRecordHeaders, idempotencyKey, parseRecordHeaders } from './record-headers.ts';
import { formatRetryHeaders, parseRetryHeaders } from './retry-headers.ts';

/** As they come back from Kafka. */
const buffers = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]));
const anyText = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.toWellFormed());
const plain = { noNullPrototype: true };
const position = fc.record(
  { topic: anyText, partition: fc.nat(), offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }) },
  plain,
);
/** Bytes of a document: far past 4 GiB. */
const place = fc.integer({ min: 0, max: 999_999_999_999_999 });
const momentMs = fc.integer({ min: 0, max: 4_000_000_000_000 });

test('law: retry headers come back as they went, whatever the names', () => {
  const state = fc.record(
    {
      route: anyText,
      group: anyText,
      attempt: fc.nat(),
      notBeforeMs: momentMs,
      cause: fc.constantFrom('http-503', 'timeout'),
      origin: position,
      recordVersion: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    },
    plain,
  );
  fc.assert(
    fc.property(state, (value) => {
      const headers = buffers(formatRetryHeaders(value));
      assert.deepEqual(parseRetryHeaders(headers), value);
    }),
  );
});

const letter = fc.record(
  {
    framing: fc.constantFrom('confluent' as const, 'none' as const),
    stage: fc.constantFrom('validate' as const, 'deliver' as const),
    cause: fc.constant('http-422'),
    reason: fc.constant('the target refuses the record (422)'),
    httpStatus: fc.integer({ min: 100, max: 599 }),
    timestampMs: momentMs,
    origin: fc.oneof(
      position,
      fc.record(
        { source: anyText, ordinal: fc.maxSafeNat(), byteRange: fc.record({ start: place, end: place }, plain) },
        { ...plain, requiredKeys: ['source', 'ordinal'] },
      ),
    ),
    route: anyText,
    attempts: fc.nat(),
  },
  { ...plain, requiredKeys: ['framing', 'stage', 'cause', 'reason', 'timestampMs', 'origin', 'attempts'] },
) as fc.Arbitrary<DeadLetter>;

test('law: a dead letter comes back as it went, and two identities are equal only for equal origin, route, attempts', () => {
  fc.assert(
    fc.property(letter, letter, (one, other) => {
      assert.deepEqual(parseDeadLetter(buffers(formatDeadLetter(one))), one);
      const who = ({ origin, route, attempts }: DeadLetter) =>
        'topic' in origin
          ? [origin.topic, origin.partition, origin.offset, route, attempts]
          : [origin.source, origin.ordinal, route, attempts];
      const same = JSON.stringify(who(one), big) === JSON.stringify(who(other), big);
      assert.equal(deadLetterIdentity(one) === deadLetterIdentity(other), same);
    }),
  );
});
const big = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);

test('no header value holds CR, LF or another control character, and each is bounded', () => {
  const evil = `a\r\nx-evil: 1\u001b[31m\u202e${'é'.repeat(5000)}`;
  const headers = {
    ...formatDeadLetter({
      framing: 'none',
      stage: 'validate',
      cause: evil,
      reason: evil,
      timestampMs: 0,
      origin: { source: 's\r\n', ordinal: 1 },
      route: 'r\n',
      attempts: 0,
    }),
    ...formatRecordHeaders({ sourceId: evil, window: evil }),
  };
  for (const [name, value] of Object.entries(headers)) {
    assert.doesNotMatch(value, /[\p{C}]/u, name);
    assert.ok(value.length <= 1000, name);
  }
});

test('printable text keeps letters of all scripts and escapes lone surrogates', () => {
  assert.equal(printableText('Grüße 日本 👍'), 'Grüße 日本 👍');
  assert.equal(printableText('\ud83d'), '\\ud83d');
  assert.equal(printableText('abcdef', 4), 'abc…');
});

test('law: a token decodes to what was encoded and needs no escaping anywhere', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.match(encodeToken(text), /^[A-Za-z0-9._~:%-]*$/);
      assert.equal(decodeToken(encodeToken(text)), text);
    }),
  );
  assert.equal(decodeToken('a b'), undefined);
  assert.equal(decodeToken('%FF'), undefined);
});

test('headers of others are an error that names the header, never a guess', () => {
  const good = formatRetryHeaders({
    route: 'r',
    group: 'g',
    attempt: 2,
    notBeforeMs: 0,
    cause: 'timeout',
    origin: { topic: 't', partition: 0, offset: 1n },
    recordVersion: 1n,
  });
  for (const [name, value] of [
    ['attempt', '-1'],
    ['attempt', '99999999999999999'],
    ['not-before', 'tomorrow'],
    ['origin-offset', '1e3'],
    ['route', 'a b'],
  ] as const)
    assert.throws(() => parseRetryHeaders({ ...good, [name]: value }), {
      code: 'header-invalid',
      details: { header: name },
    });
  for (const name of Object.keys(good))
    assert.throws(() => parseRetryHeaders({ ...good, [name]: undefined }), { code: 'header-invalid' }, name);
  assert.throws(() => parseDeadLetter({ framing: 'xml' }), /framing/);
});

test('record headers come back, absent ones stay absent, and give the idempotency key', () => {
  const origin = {
    sourceId: 'job 1',
    ordinal: 7,
    window: 'w',
    jobId: 'j',
    dataAvailabilityDate: '2026-01-01T00:00:00Z',
  };
  const headers = buffers(formatRecordHeaders(origin));
  assert.deepEqual(parseRecordHeaders(headers), origin);
  const place = { topic: 't', partition: 3, offset: 9n };
  assert.equal(idempotencyKey(parseRecordHeaders(headers), place), 'job%201:7');
  assert.equal(idempotencyKey({}, place), 't:3:9');
  assert.throws(() => parseRecordHeaders({ ordinal: 'x' }), { code: 'header-invalid' });
});
