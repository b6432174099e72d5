import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { conversations, piecesLater } from '../fixtures/documents.ts';
import { streamJsonRecords } from '../fixtures/stream-json-records.ts';
import { scanRecords, type ScannedRecord, type ScanOptions } from './index.ts';

const LIMITS: ScanOptions = { maxRecordBytes: 4 * 1024 * 1024, maxDepth: 256 };
const SIZES = [1, 2, 3, 7, 64 * 1024];

async function collect<T>(batches: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

async function scanAll(document: Buffer, size: number, options = LIMITS): Promise<ScannedRecord[]> {
  return collect(scanRecords(piecesLater(document, size), options));
}

async function reference(document: Buffer, size: number, shape?: 'array' | 'conversations'): Promise<unknown[]> {
  return collect(streamJsonRecords(piecesLater(document, size), shape));
}

/** A document and its records' texts; white space, spelling and escapes vary, as JSON.stringify never would. */
const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const scalar = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '-0', '0', '1.50', '1E+2', '12345678901234567890', '1e-7'),
  fc.integer().map(String),
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc
    .string({ unit: fc.constantFrom('"', '\\', '{', ']', ',', ':', '\n', 'é', '😀') })
    .map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\u0022\\\\"', '"\\/\\b"', '"\\ud83d\\ude00"'),
);
const value = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(fc.tuple(space, tie('value'), space).map((parts) => parts.join(''))).map((all) => `[${all.join(',')}]`),
    fc
      .array(
        fc.tuple(
          fc.string().map((key) => JSON.stringify(key)),
          space,
          tie('value'),
          space,
        ),
      )
      .map((all) => `{${all.map(([key, gap, text, after]) => `${key}${gap}:${text}${after}`).join(',')}}`),
  ),
})).value;
const elements = fc.array(fc.tuple(space, value, space));

test('agrees with stream-json, and with the source byte for byte, on generated documents at every chunk size', async () => {
  await fc.assert(
    fc.asyncProperty(elements, fc.boolean(), fc.constantFrom(...SIZES), async (parts, wrapped, size) => {
      const array = `[${parts.map((part) => part.join('')).join(',')}]`;
      const document = Buffer.from(wrapped ? `{"cursor":"c","conversations" :${array} }` : array);
      const records = await scanAll(document, size);
      assert.deepEqual(
        records.map((record) => record.bytes?.toString()),
        parts.map(([, text]) => text),
      );
      for (const { offset, length, bytes } of records)
        assert.deepEqual(bytes, document.subarray(offset, offset + length));
      const values = records.map((record) => JSON.parse(record.bytes!.toString()) as unknown);
      assert.deepEqual(plain(values), plain(await reference(document, size, wrapped ? 'conversations' : 'array')));
    }),
    { numRuns: 200 },
  );
});

/** stream-json sets keys by assignment, so that `__proto__` is lost there, and spells -0 as JSON.stringify does. */
const plain = (values: unknown[]) =>
  JSON.parse(JSON.stringify(values, (key, item: unknown) => (key === '__proto__' ? undefined : item))) as unknown;

test('a document cut off anywhere is never a success, and what came before stands', async () => {
  await fc.assert(
    fc.asyncProperty(elements, fc.nat(), fc.constantFrom(...SIZES), async (parts, cut, size) => {
      const whole = Buffer.from(`[${parts.map((part) => part.join('')).join(',')}]`);
      const document = whole.subarray(0, cut % whole.length);
      const seen: string[] = [];
      await assert.rejects(
        async () => {
          for await (const batch of scanRecords(piecesLater(document, size), LIMITS)) {
            seen.push(...batch.map((record) => record.bytes!.toString()));
          }
        },
        { code: 'broken-json' },
      );
      assert.deepEqual(
        seen,
        parts.slice(0, seen.length).map(([, text]) => text),
      );
    }),
    { numRuns: 200 },
  );
});

test('never accepts what stream-json refuses, unless JSON.parse refuses a record of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      elements,
      fc.nat(),
      fc.constantFrom('[', ']', '{', '}', '"', ',', ':', '\\', '1', ' ', 'n'),
      fc.constantFrom(...SIZES),
      async (parts, at, noise, size) => {
        const whole = `[${parts.map((part) => part.join('')).join(',')}]`;
        const place = at % (whole.length + 1);
        const document = Buffer.from(whole.slice(0, place) + noise + whole.slice(place));
        const verdict = async (run: () => Promise<unknown[]>) => run().then(plain, () => 'refused');
        const ours = await verdict(async () =>
          (await scanAll(document, size, LIMITS)).map((record) => JSON.parse(record.bytes!.toString()) as unknown),
        );
        const exact = await verdict(async () => JSON.parse(document.toString()) as unknown[]);
        assert.deepEqual(ours, Array.isArray(exact) ? exact : 'refused');
        if (ours !== 'refused') assert.deepEqual(ours, await verdict(() => reference(document, size)));
      },
    ),
    { numRuns: 250 },
  );
});

test('agrees with stream-json on realistic conversations', async () => {
  const records = conversations(300_000);
  const document = Buffer.from(`[${records.join(',')}]`);
  for (const size of SIZES) {
    const scanned = (await scanAll(document, size)).map((record) => record.bytes!.toString());
    assert.deepEqual(scanned, records);
  }
  assert.deepEqual(await reference(document, 64 * 1024), JSON.parse(document.toString()));
});

test('records are what they are while a chunk is the reader’s; its memory may be used again when the next one is pulled', async () => {
  for (const text of [
    '[{"a":"1"},{"b":22},[3]]',
    '{"conversations":[{"a":1},{"b":2}],"x":3}',
    '{"conversationId":"1"}\n{"conversationId":"2"}\n',
    '{"conversationId":"1","lone":true}',
  ]) {
    const document = Buffer.from(text);
    for (const size of SIZES) {
      const expected = (await scanAll(document, size)).map(({ bytes }) => bytes!.toString());
      const chunk = Buffer.alloc(size);
      async function* reused(): AsyncGenerator<Buffer> {
        for (let at = 0; at < document.length; at += size) {
          yield chunk.subarray(0, document.copy(chunk, 0, at, at + size));
          chunk.fill(0);
        }
      }
      const found: string[] = [];
      for await (const batch of scanRecords(reused(), LIMITS))
        found.push(...batch.map(({ bytes }) => bytes!.toString()));
      assert.deepEqual(found, expected, `${text} in chunks of ${size}`);
    }
  }
});

test('pulls one chunk at a time, and a reader that leaves ends the source', async () => {
  let pulled = 0;
  let closed = false;
  async function* source(): AsyncGenerator<Buffer> {
    try {
      for (const text of ['[1,', '2,', '3,', '4]']) {
        pulled += 1;
        yield Buffer.from(text);
      }
    } finally {
      closed = true;
    }
  }
  for await (const batch of scanRecords(source(), LIMITS)) {
    assert.equal(batch.length, 1);
    break;
  }
  assert.deepEqual([pulled, closed], [1, true]);
});

test('a chunk of tiny records comes in batches of about a thousand, one of ordinary ones whole', async () => {
  async function* chunks(document: Buffer) {
    for (let at = 0; at < document.length; at += 256 * 1024) yield document.subarray(at, at + 256 * 1024);
  }
  const sizes = async (document: Buffer) => {
    const counts: number[] = [];
    for await (const batch of scanRecords(chunks(document), LIMITS)) counts.push(batch.length);
    return counts;
  };
  const tiny = await sizes(Buffer.from(`[${'1,'.repeat(299_999)}1]`));
  assert.equal(
    tiny.reduce((sum, count) => sum + count, 0),
    300_000,
  );
  assert(Math.max(...tiny) <= 2000, `${Math.max(...tiny)} at once`);
  const record = JSON.stringify({ note: 'x'.repeat(6000) });
  const ordinary = await sizes(Buffer.from(`[${Array.from({ length: 1000 }, () => record).join(',')}]`));
  assert.equal(
    ordinary.reduce((sum, count) => sum + count, 0),
    1000,
  );
  assert(ordinary.length <= 24 + 6, `${ordinary.length} batches of 24 chunks`);
});
