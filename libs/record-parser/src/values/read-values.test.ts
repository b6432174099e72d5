import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { conversations, piecesLater } from '../../fixtures/documents.ts';
import { ValuesError } from './errors.ts';
import { readValues, valuesOf, type ReadValuesOptions } from './read-values.ts';

const SIZES = [1, 2, 3, 7, 64 * 1024];

interface Reading {
  readonly values: unknown[];
  readonly error: string | undefined;
}

async function readOnce(document: Buffer, size: number, options: ReadValuesOptions): Promise<Reading> {
  const values: unknown[] = [];
  try {
    for await (const { ordinal, value } of valuesOf(piecesLater(document, size), options)) {
      assert.equal(ordinal, values.length);
      values.push(value);
    }
    return { values, error: undefined };
  } catch (error) {
    assert.ok(error instanceof ValuesError, String(error));
    return { values, error: error.message };
  }
}

/** Reads in pieces of every size, and asserts that the size makes no difference. */
async function read(source: string | Buffer, options: ReadValuesOptions = {}): Promise<Reading> {
  const document = Buffer.from(source);
  const [first, ...others] = await Promise.all(SIZES.map((size) => readOnce(document, size, options)));
  for (const other of others) assert.deepEqual(other, first);
  return first!;
}

async function scratch(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'values-'));
  context.after(() => rm(directory, { recursive: true }));
  return join(directory, 'file');
}

test('the elements of an array, those of conversations, and values one after the other', async () => {
  const both = [{ n: 1 }, { 'm"': ['é', { x: null }] }];
  const [one, two] = both.map((value) => JSON.stringify(value)) as [string, string];
  for (const text of [
    `[${one},${two}]`,
    ` [ ${one}\n, ${two} ] \n`,
    `{"conversations":[${one},${two}]}`,
    `{"cursor":"c","totals":{"conversations":[7]},"conversations":[${one},${two}],"aggregations":[{"a":1}]}`,
    `${one}\n${two}\n`,
    `${one}\r\n\n${two}`,
    `${one}${two}`,
    `\ufeff[${one},${two}]`,
  ]) {
    assert.deepEqual(await read(text), { values: both, error: undefined }, text);
  }
});

test('what is no document of conversations is a value itself, and an empty file has none', async () => {
  assert.deepEqual((await read('{"a":{"conversations":[1]}}')).values, [{ a: { conversations: [1] } }]);
  assert.deepEqual((await read('{"conversations":null}')).values, [{ conversations: null }]);
  assert.deepEqual((await read('1 "two"\nnull')).values, [1, 'two', null]);
  assert.deepEqual((await read('[null,[1],"x",true]')).values, [null, [1], 'x', true]);
  for (const empty of ['', ' \n', '\ufeff', '[]', '{"conversations":[]}']) {
    assert.deepEqual(await read(empty), { values: [], error: undefined });
  }
});

test('a fault is told by record, line and column, after all values before it', async () => {
  for (const [text, count, place] of [
    ['[{"n":1},\n {"n":2},\n {"n":x}]', 2, /breaks in record 2: line 3, column 7: expected a value\./],
    ['{"n":1}\n{"n":2}\n{"n":', 2, /in record 2: line 3, column 6: expected a value, but the text ends/],
    ['{"n":1}\n{"n":"2', 1, /in record 1: line 2, column \d+: expected a string value, but the text ends/],
    ['[{"n":1},]', 1, /in record 1: line 1, column 10: /],
    ['[{"n":1}', 1, /in record 1: line 1, column 9: expected ',', but the text ends/],
    ['[{"n":1}}', 1, /in record 1: line 1, column 9: expected ']'/],
    ['["a\nb"]', 0, /in record 0: line 1, column 4: a bad escape or a control character in a string/],
    ['[01]', 0, /in record \d: line 1, column 3/],
    ['\ufeff\ufeff[]', 0, /in record 0: line 1, column 1/],
  ] as const) {
    const { values, error } = await read(text);
    assert.match(error ?? 'no error', place);
    assert.equal(values.length, count, text);
  }
});

test('what follows a whole document is refused, and so is a second array of conversations', async () => {
  for (const text of ['[1,2] [3]', '[1,2]]', '{"conversations":[1,2]}\n{"conversations":[3]}', '[1,2],3']) {
    const { values, error } = await read(text);
    assert.deepEqual(values, [1, 2]);
    assert.match(error ?? 'no error', /in record 2: (more text follows the end|line 1, column 6)/);
  }
  const { error } = await read('{"conversations":[1],"x":{"conversations":2},"conversations":[2]}');
  assert.match(error ?? 'no error', /in record 1: the member "conversations" appears twice/);
});

test('a document cut off anywhere is an error, and the values before stand', async () => {
  const document = Buffer.from('{"a":[1],"conversations":[{"n":"é"},{"m":[true,null,-1.5e3]}],"z":"\\u00e9"}');
  for (let end = 1; end < document.length; end += 1) {
    const { values, error } = await read(document.subarray(0, end));
    assert.ok(error !== undefined, `${end}`);
    assert.ok(values.length <= 2);
  }
});

test('nesting and length have a limit', async () => {
  const deep = (depth: number) => `[${'['.repeat(depth)}${']'.repeat(depth)}]`;
  assert.equal((await read(deep(256))).error, undefined);
  assert.match((await read(deep(257))).error ?? '', /in record 0: nested deeper than 256/);
  assert.match((await read(`[1,${'['.repeat(100_000)}`)).error ?? '', /in record 1: nested deeper than 256/);
  const endless = Buffer.from(`{"conversation":[${'1,'.repeat(5_000)}`);
  const { error } = await readOnce(endless, 1024, { maxLength: 4096 });
  assert.match(error ?? '', /in record 0: it is longer than 4096 characters/);
});

test('bytes that are not UTF-8 are refused: Latin-1, cut characters, UTF-16', async () => {
  for (const bytes of [
    Buffer.from('["\xe9"]', 'latin1'),
    Buffer.from([0x22, 0xe6, 0x9d]),
    Buffer.from('[1]', 'utf16le'),
  ]) {
    const { error } = await readOnce(bytes, 64, {});
    assert.match(error ?? 'no error', /from byte [03] on, the text is not UTF-8|column 2: expected a value/);
  }
});

test('numbers are doubles, or keep their spelling where that is asked for; __proto__ is a member like any other', async () => {
  const text = '[{"a":9007199254740993,"b":-0,"c":1E2,"d":1.50,"e":12.5,"f":1e999,"__proto__":{"\\\\":1}}]';
  const [lossy] = (await read(text)).values as [Record<string, unknown>];
  assert.equal(lossy.a, 9007199254740992);
  assert.equal(lossy.f, Infinity);
  assert.ok(Object.hasOwn(lossy, '__proto__'));
  assert.deepEqual(Object.keys(lossy), ['a', 'b', 'c', 'd', 'e', 'f', '__proto__']);
  const exact = await readOnce(Buffer.from(text), 5, { exactNumbers: true });
  assert.equal(JSON.stringify(exact.values), text);
});

test('agrees with JSON.parse on any values, however they stand and are cut', async () => {
  const spelled = fc.json({ maxDepth: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(spelled), fc.constantFrom(...SIZES), async (texts, size) => {
      const expected = texts.map((text) => JSON.parse(text) as unknown);
      for (const document of [`[${texts.join(' , ')}]`, `{"x":{},"conversations":[${texts.join(',')}]}`]) {
        assert.deepEqual((await readOnce(Buffer.from(document), size, {})).values, expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('a file is read plain and as gzip, and closed when the reader leaves', async (context) => {
  const file = await scratch(context);
  const records = conversations(200_000);
  const document = `[${records.join(',')}]`;
  for (const bytes of [Buffer.from(document), gzipSync(document)]) {
    await writeFile(file, bytes);
    const values = await Array.fromAsync(readValues(file));
    assert.deepEqual(
      values.map(({ value }) => value),
      JSON.parse(document),
    );
    for await (const { ordinal } of readValues(file)) {
      assert.equal(ordinal, 0);
      break;
    }
  }
  const packed = gzipSync(document);
  await writeFile(file, packed.subarray(0, packed.length / 2));
  const error = { code: 'values-unreadable', message: /cannot be read \(Z_BUF_ERROR\)/ };
  await assert.rejects(Array.fromAsync(readValues(file)), error);
});

test('a file that is not there, a directory, and an aborted signal', async (context) => {
  const file = await scratch(context);
  await assert.rejects(Array.fromAsync(readValues(file)), { code: 'values-unreadable', message: /ENOENT/ });
  await assert.rejects(Array.fromAsync(readValues(tmpdir())), { code: 'values-unreadable', message: /EISDIR/ });
  await writeFile(file, '[1,2]');
  const reason = new Error('enough');
  await assert.rejects(Array.fromAsync(readValues(file, { signal: AbortSignal.abort(reason) })), reason);
});
