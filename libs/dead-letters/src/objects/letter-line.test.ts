import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEAD_LETTER_HEADER,
  DEAD_LETTER_STAGES,
  formatDeadLetter,
  frame,
  type DeadLetter,
} from '@genesys-kafka/topics';
import fc from 'fast-check';
import { decodeLetter, encodeLetter } from './letter-line.ts';

const plain = { noNullPrototype: true };
const text = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 });
const letter = fc.record(
  {
    stage: fc.constantFrom(...DEAD_LETTER_STAGES),
    cause: text,
    reason: text,
    httpStatus: fc.nat({ max: 599 }),
    timestampMs: fc.integer({ min: 0, max: 4e12 }),
    origin: fc.oneof(
      fc.record({ topic: text, partition: fc.nat(), offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }) }, plain),
      fc.record({ source: fc.string(), ordinal: fc.maxSafeNat() }, plain),
    ),
    route: fc.string(),
    attempts: fc.nat(),
  },
  { ...plain, requiredKeys: ['stage', 'cause', 'reason', 'timestampMs', 'origin', 'attempts'] },
) as fc.Arbitrary<Omit<DeadLetter, 'framing'>>;
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((one) => Buffer.from(one)),
  fc.string({ unit: 'binary', maxLength: 30 }).map((one) => Buffer.from(one)),
  fc
    .constantFrom(...['', '﻿{}', '{"a":",\\"record\\":1}', ',"record":', '\u0000\n\r\t\u2028'])
    .map((one) => Buffer.from(one)),
);
const envelope = new Set<string>(Object.values(DEAD_LETTER_HEADER));
const own = fc.dictionary(
  fc.oneof(fc.string({ minLength: 1, maxLength: 8 }), fc.constantFrom('record', '__proto__', 'constructor')),
  bytes,
  { maxKeys: 4, ...plain },
);

test('law: a dead letter comes back from its line byte for byte, value, key and headers, whatever they hold', () => {
  fc.assert(
    fc.property(
      letter,
      fc.option(bytes),
      fc.option(bytes),
      fc.option(fc.nat({ max: 2 ** 31 })),
      own,
      (facts, key, body, schemaId, more) => {
        const value = body === null || schemaId === null ? body : frame(schemaId, body);
        const framing = value === null || schemaId === null ? 'none' : 'confluent';
        const kept = Object.entries(more).filter(([name]) => !envelope.has(name));
        const said = Object.entries(formatDeadLetter({ ...facts, framing }));
        const headers = Object.fromEntries([...kept, ...said.map(([name, one]) => [name, Buffer.from(one)] as const)]);
        const line = encodeLetter({ key, value, headers });
        assert.ok(!line.includes(0x0a), 'one line');
        const read = decodeLetter(line)!;
        assert.deepEqual(read.key, key);
        assert.deepEqual(read.value(), value);
        assert.deepEqual(read.headers(), headers);
        assert.equal((JSON.parse(line.toString()) as { id: string }).id, read.id);
      },
    ),
  );
});

test('law: a line that another program has written with its members in another order reads the same', () => {
  const members = (line: Buffer) => Object.entries(JSON.parse(line.toString()) as Record<string, unknown>);
  fc.assert(
    fc.property(
      letter,
      fc.option(bytes),
      fc.option(bytes),
      own,
      fc.infiniteStream(fc.nat()),
      (facts, key, value, more, dice) => {
        const kept = Object.entries(more).filter(([name]) => !envelope.has(name));
        const headers = { ...Object.fromEntries(kept), ...formatDeadLetter({ ...facts, framing: 'none' }) };
        const line = encodeLetter({ key, value, headers });
        const shuffled = members(line)
          .map((member) => ({ member, at: dice.next().value as number }))
          .toSorted((one, other) => one.at - other.at)
          .map(({ member }) => member);
        const [read, again] = [line, Buffer.from(JSON.stringify(Object.fromEntries(shuffled)))].map(decodeLetter);
        assert.deepEqual(
          [again?.id, again?.deadLetter, again?.key, again?.value(), again?.headers()],
          [read?.id, read?.deadLetter, read?.key, read?.value(), read?.headers()],
        );
      },
    ),
  );
});

test('a line whose members stand in another order reads the same; one that is none, or of another version, is none', () => {
  const headers = formatDeadLetter({
    framing: 'none',
    stage: 'deliver',
    cause: 'http-422',
    reason: 'refused',
    timestampMs: 0,
    origin: { topic: 'd', partition: 0, offset: 1n },
    route: 'crm',
    attempts: 1,
  });
  const line = encodeLetter({ key: null, value: Buffer.from('{}'), headers });
  const { record, ...rest } = JSON.parse(line.toString()) as Record<string, unknown>;
  const turned = decodeLetter(Buffer.from(JSON.stringify({ record, ...rest })))!;
  assert.deepEqual([turned.id, turned.value()], ['d/0/1/crm/1', Buffer.from('{}')]);
  const latin = Buffer.from(JSON.stringify({ ...rest, record: 'caf\u00e9' }), 'latin1');
  assert.equal(decodeLetter(latin), undefined, 'not UTF-8');
  for (const wrong of ['', 'x', '[]', 'null', '{"v":2}', '{"v":1,"record":""}']) {
    assert.equal(decodeLetter(Buffer.from(wrong)), undefined, wrong);
  }
  for (const other of [
    { v: 2 },
    { id: 'd/0/2/crm/1' },
    { stage: 'x' },
    { attempts: -1 },
    { timestamp: 'soon' },
    { key: 5 },
  ]) {
    assert.equal(
      decodeLetter(Buffer.from(JSON.stringify({ ...rest, ...other, record }))),
      undefined,
      JSON.stringify(other),
    );
  }
});
