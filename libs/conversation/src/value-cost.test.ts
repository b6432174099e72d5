import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordValidator } from './record-validator.ts';

const head = '"conversationId":"c-1","conversationStart":"2026-09-14T13:02:11Z"';
const validate = (inner: string, members: number) =>
  createRecordValidator().validate(Buffer.from(`{${head},"x":${inner}}`), members + 3);

/** About `bytes` of one piece of JSON, over and over. */
const many = (piece: string, bytes: number) =>
  Array.from({ length: bytes / (piece.length + 1) }, () => piece).join(',');

test('a record that would fill the heap of its thread is refused before it is parsed', () => {
  for (const [piece, bytes] of [
    ['{}', 5_000_000],
    ['[]', 5_000_000],
    ['[1]', 5_000_000],
    ['1', 12_000_000],
  ] as const) {
    const result = validate(`[${many(piece, bytes)}]`, 0);
    assert.deepEqual(
      result,
      {
        ok: false,
        code: 'record-too-costly',
        reasons: ['/: holds too many values for the memory of one record'],
      },
      piece,
    );
  }
  // Not parsed: the text ends in its midst.
  const cut = Buffer.from(`{${head},"x":{${many('"k":1', 12_000_000)}`);
  const result = createRecordValidator().validate(cut, 2_000_000);
  assert(!result.ok && result.code === 'record-too-costly');
});

test('a large record of an ordinary kind is no costly one, nor is what only looks like brackets', () => {
  const metric = '{"emitDate":"2026-01-01T00:00:00.000Z","name":"tAcw","value":123456}';
  const count = 100_000;
  assert(validate(`[${Array.from({ length: count }, () => metric).join(',')}]`, 3 * count).ok);
  assert(validate(`["${'[{,\\"\\\\'.repeat(500_000)}"]`, 0).ok);
});

test('a repeated key in a record of a million members is not looked for by the slow reader', () => {
  const result = validate(`{${many('"k":1', 3_000_000)}}`, 500_000);
  assert(!result.ok && result.code === 'record-too-costly');
});
