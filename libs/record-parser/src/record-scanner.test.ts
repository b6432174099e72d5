import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pieces } from '../fixtures/documents.ts';
import { EndCheck, type ParserError, RecordScanner, type ScannedRecord, type ScanOptions } from './index.ts';

const LIMITS = { maxRecordBytes: 1024 * 1024, maxDepth: 256 };
const SIZES = [1, 2, 3, 7, 64 * 1024];

interface Scan {
  readonly records: ScannedRecord[];
  readonly envelope: unknown;
  readonly error: { code: string; ordinal: unknown; offset: unknown; message: string } | undefined;
}

function scanOnce(document: Buffer, size: number, options: Partial<ScanOptions>): Scan {
  const scanner = new RecordScanner({ ...LIMITS, ...options });
  const records: ScannedRecord[] = [];
  try {
    for (const chunk of pieces(document, size)) records.push(...scanner.push(chunk));
    records.push(...scanner.end());
    return { records, envelope: scanner.envelope, error: undefined };
  } catch (error) {
    const { code, details, message } = error as ParserError;
    return { records, envelope: undefined, error: { code, ordinal: details.ordinal, offset: details.offset, message } };
  }
}

/** Scans at every chunk size, asserts that the size makes no difference, and that bytes are exact source slices. */
function scan(source: string | Buffer, options: Partial<ScanOptions> = {}): Scan {
  const document = Buffer.from(source);
  const [first, ...others] = SIZES.map((size) => scanOnce(document, size, options));
  for (const other of others) assert.deepEqual(other, first);
  for (const [index, record] of first!.records.entries()) {
    assert.equal(record.ordinal, index);
    if (record.bytes) assert.deepEqual(record.bytes, document.subarray(record.offset, record.offset + record.length));
  }
  return first!;
}

const texts = (result: Scan) => result.records.map((record) => record.bytes?.toString());

test('cuts an array of anything into the exact bytes of its elements', () => {
  const elements = [
    '{"a" : 1.50,\n "b":[{},[ ]]}',
    '[1,[2,{"c":"]}"}]]',
    '"a \\" , ] \\\\"',
    '"\\\\"',
    '"漢字 😀 \\ud83d"',
    '9007199254740993',
    '-0',
    '1e400',
    'null',
    'true',
    '{}',
    '[]',
    '""',
    '{"__proto__":{"x":1},"__proto__":2}',
  ];
  for (const [open, comma, close] of [
    ['[', ',', ']'],
    [' \r\n[\t', ' ,\n', ' ]\n\n'],
    ['\ufeff[', ' , ', ']'],
  ] as const) {
    const result = scan(open + elements.join(comma) + close);
    assert.equal(result.error, undefined);
    assert.deepEqual(texts(result), elements);
  }
});

test('tells [1] from [1,2] at every boundary, and [] is an array without records', () => {
  assert.deepEqual(texts(scan('[1]')), ['1']);
  assert.deepEqual(texts(scan('[1,2]')), ['1', '2']);
  assert.deepEqual(texts(scan('[12 ]')), ['12']);
  const empty = scan(' [ ] ');
  assert.deepEqual(empty.records, []);
  assert.equal(empty.error, undefined);
});

test('leaves content to JSON.parse: an element that is no JSON is a record of its own, and the rest goes on', () => {
  const result = scan('[NaN,{\'a\':1},{"a":1,},{"a" 1},-,"\t","\\x",nul,{"k":1}]');
  assert.equal(result.error, undefined);
  assert.deepEqual(texts(result), ['NaN', "{'a':1}", '{"a":1,}', '{"a" 1}', '-', '"\t"', '"\\x"', 'nul', '{"k":1}']);
});

test('passes invalid UTF-8 on as it is', () => {
  const document = Buffer.concat([Buffer.from('["'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('",1]')]);
  assert.deepEqual(scan(document).records[0]?.bytes, document.subarray(1, 6));
});

test('counts members, so that duplicate keys can be found', () => {
  const members = scan('[{"a":1,"a":{"b":":","c":[{"d":0}]}},7,":",[]]').records.map((record) => record.members);
  assert.deepEqual(members, [5, 0, 0, 0]);
});

test('says where the structure breaks; the records before it stand', () => {
  const cases: [document: string, ordinal: number, offset: number, reason: RegExp][] = [
    ['[1,{"a":1]', 1, 9, /other kind/],
    ['[1,[}', 1, 4, /other kind/],
    ['[1,2', 1, 4, /cut off/],
    ['[1,', 1, 3, /cut off/],
    ['[1', 0, 2, /cut off/],
    ['[', 0, 1, /cut off/],
    ['[{"a":"b', 0, 8, /cut off/],
    ['["a\\"', 0, 5, /cut off/],
    ['[1,]', 1, 3, /expected a record/],
    ['[,1]', 0, 1, /expected a record/],
    ['[1,,2]', 1, 3, /expected a record/],
    ['[1 2]', 1, 3, /"," or "\]"/],
    ['[{}{}]', 1, 3, /"," or "\]"/],
    ['[1}', 1, 2, /"," or "\]"/],
    ['[1"a"]', 0, 2, /inside a number/],
    ['[1:2]', 0, 2, /inside a number/],
    ['[t{}]', 0, 2, /inside a number/],
    ['// c\n[1]', 0, 0, /expected an array/],
    ['12', 0, 0, /expected an array/],
    ['"text"', 0, 0, /expected an array/],
    ['', 0, 0, /empty/],
    [' \n ', 0, 3, /empty/],
    ['\ufeff', 0, 3, /empty/],
  ];
  for (const [document, ordinal, offset, reason] of cases) {
    const { records, error } = scan(document);
    assert.equal(error?.code, 'broken-json', document);
    assert.match(error.message, reason, document);
    assert.deepEqual([error.ordinal, error.offset, records.length], [ordinal, offset, ordinal], document);
  }
});

test('says where text follows the end of the document, which has shown its end by then', () => {
  const cases: [document: string, records: number, offset: number][] = [
    ['[1][2]', 1, 3],
    ['[1] x', 1, 4],
    ['[12]\0', 1, 4],
    ['[] []', 0, 3],
    ['{"conversations":[1],"totalHits":1}]', 1, 35],
    ['{"conversationId":"1"}{"conversationId":"2"}', 1, 22],
    ['{"conversationId":"1"} {"conversationId":"2"}', 1, 23],
  ];
  for (const [document, ordinal, offset] of cases) {
    const { error } = scan(document);
    assert.deepEqual([error?.code, error?.ordinal, error?.offset], ['trailing-text', ordinal, offset], document);
    for (const size of SIZES) assert(showsItsEnd(document, size), document);
  }
  for (const document of ['[1]\n', '{"conversations":[]}']) {
    for (const size of SIZES) assert(showsItsEnd(document, size), document);
  }
  for (const document of ['[1,]', '[1,2', '', '{"a":1}\n{"a":2}\n', '{"conversations":7}', '\0[1][2]']) {
    for (const size of SIZES) assert(!showsItsEnd(document, size), document);
  }
});

function showsItsEnd(document: string, size: number): boolean {
  const check = new EndCheck(LIMITS.maxDepth);
  for (const chunk of pieces(Buffer.from(document), size)) check.push(chunk);
  return check.isClosed;
}

test('a fault in a chunk does not take the records before it along, and stays the answer', () => {
  const scanner = new RecordScanner(LIMITS);
  assert.equal(scanner.push(Buffer.from('[1,2,]')).length, 2);
  assert.throws(() => scanner.push(Buffer.from(' ')), { code: 'broken-json' });
  assert.throws(() => scanner.end(), { code: 'broken-json' });
});

test('refuses UTF-16 and UTF-32, and a broken byte order mark', () => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');
  const swapped = (text: string) => utf16(text).swap16();
  const utf32 = Buffer.from([0x5b, 0, 0, 0, 0x5d, 0, 0, 0]);
  const documents = [utf16('\ufeff[1]'), swapped('\ufeff[1]'), utf16('[1]'), swapped('[1]'), utf16('{"a":1}'), utf32];
  for (const document of documents) assert.equal(scan(document).error?.code, 'unsupported-encoding');
  for (const mark of [
    [0xef, 0x5b],
    [0xef, 0xbb, 0x20, 0xbf],
    [0xef, 0x20, 0xbf, 0x5b],
  ]) {
    assert.equal(scan(Buffer.from(mark)).error?.code, 'broken-json');
  }
});

test('a hundred thousand brackets fail at the depth limit, at once', () => {
  const { error } = scan(`[${'['.repeat(100_000)}`, { maxDepth: 256 });
  assert.equal(error?.code, 'broken-json');
  assert.equal(error.offset, 257);
  const deep = (depth: number) => `[${'['.repeat(depth)}${']'.repeat(depth)}]`;
  assert.equal(scan(deep(256)).error, undefined);
  assert.match(scan(deep(257)).error?.message ?? '', /deeper than 256/);
  const member = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  assert.equal(scan(`${member(256)}\n${member(256)}`).error, undefined);
  assert.match(scan(`${member(257)}\n1`).error?.message ?? '', /deeper than 255/);
});

test('a record over the limit is counted and measured, without its bytes', () => {
  const long = JSON.stringify('x'.repeat(5000));
  const result = scan(`[1,${long},2]`, { maxRecordBytes: 100 });
  assert.deepEqual(texts(result), ['1', undefined, '2']);
  assert.equal(result.records[1]?.length, 5002);
  const exact = scan(`["${'y'.repeat(98)}"]`, { maxRecordBytes: 100 });
  assert.equal(exact.records[0]?.bytes?.length, 100);
});

test('a huge string comes through whole', () => {
  const text = `"${'\\"漢'.repeat(200_000)}"`;
  const document = Buffer.from(`[${text}]`);
  const { records } = scanOnce(document, 64 * 1024, { maxRecordBytes: 4 * 1024 * 1024 });
  assert.equal(records[0]?.bytes?.toString(), text);
});

test('enters the array of an object, with the other members before or after it', () => {
  const page =
    '{ "cursor" : "a\\"b", "conversations":[{"a":1} , 2], "dataAvailabilityDate":"2026-01-01T00:00:00Z","n":{"x":[1]}}\n';
  for (const isPage of [false, true]) {
    const result = scan(page, { page: isPage });
    assert.deepEqual(texts(result), ['{"a":1}', '2']);
    assert.deepEqual(result.envelope, { cursor: 'a"b', dataAvailabilityDate: '2026-01-01T00:00:00Z', n: { x: [1] } });
  }
  assert.deepEqual(texts(scan('{"conversa\\u0074ions":[1]}')), ['1']);
  assert.deepEqual(scan('{"conversations":[]}').records, []);
  const tricky = scan('{"a":{"conversations":[1]},"__proto__":{"p":1},"conversations":[2]}');
  assert.deepEqual(texts(tricky), ['2']);
  assert.deepEqual(Object.keys(tricky.envelope as object), ['a', '__proto__']);
});

test('an object without an array of conversations is an error, or an empty page where one is expected', () => {
  for (const document of ['{}', '{"message":"no"}', '{"conversations":null}']) {
    assert.equal(scan(document).error?.code, 'conversations-missing', document);
    const page = scan(document, { page: true });
    assert.equal(page.error, undefined, document);
    assert.equal(page.records.length, 0);
  }
  const page = scan('{"cursor":"c"}', { page: true });
  assert.deepEqual(page.envelope, { cursor: 'c' });
  for (const value of ['{}', '"x"', '1', 'true']) {
    const { error } = scan(`{"conversations":${value}}`, { page: true });
    assert.equal(error?.code, 'conversations-missing', value);
  }
});

test('around the records an envelope is read strictly', () => {
  const broken = [
    '{"conversations":[1],}',
    '{"conversations":[1] "a":1}',
    '{"conversations":[1]',
    '{"conversations" [1]}',
    '{,"conversations":[1]}',
    '{"a":,"conversations":[1]}',
    '{"a":1,"a":2,"conversations":[1]}',
    '{"conversations":[1],"conversations":[2]}',
    '{"conversations":[1],"a":nul}',
    '{"a":[1}],"conversations":[1]}',
    '{a:1,"conversations":[1]}',
    '{"a\\q":1,"conversations":[1]}',
  ];
  for (const document of broken) assert.equal(scan(document, { page: true }).error?.code, 'broken-json', document);
});

test('an envelope over 1 MiB fails the reader of the envelope, never the records', () => {
  const padding = JSON.stringify('p'.repeat(1024 * 1024));
  const scanner = new RecordScanner({ ...LIMITS, page: true });
  const records = scanner.push(Buffer.from(`{"padding":${padding},"cursor":"c","conversations":[1,2]}`));
  scanner.end();
  assert.equal(records.length, 2);
  assert.throws(() => scanner.envelope, { code: 'envelope-too-large' });
});

test('reads NDJSON: a line is a record, whatever it holds', () => {
  const lines = ['{"conversationId":"1","a":{"b":1}}', '{"broken":', '}{', '7', '{"a":"x\\\\"}', '[1,2]'];
  assert.deepEqual(texts(scan(`${lines.join('\n')}\n`)), lines);
  assert.deepEqual(texts(scan(`\ufeff\r\n${lines.join(' \r\n\r\n')}`)), lines);
  assert.deepEqual(
    scan('{"a":1,"b":{"c":2}}\n{"a":":"}').records.map((record) => record.members),
    [3, 1],
  );
  // What follows a string within a line is still counted.
  assert.equal(scan('{}\n"a"{"b":1,"c":2}\n').records[1]?.members, 2);
  assert.equal(scan('{"a":1}\n"x').error?.code, 'broken-json');
  assert.equal(scan('{"a":1}\n{"b":[').error?.offset, 14);
  assert.deepEqual(texts(scan(`{"a":1}\n"${'z'.repeat(200)}"\n3`, { maxRecordBytes: 99 })), [
    '{"a":1}',
    undefined,
    '3',
  ]);
});

test('a lone object is one record when it has a conversationId; objects of several lines are not NDJSON', () => {
  assert.deepEqual(texts(scan('{"conversationId":"1",\n"a":[1]}\n')), ['{"conversationId":"1",\n"a":[1]}']);
  assert.deepEqual(texts(scan('{"conversationId":"1","conversationId":"2"}')), [
    '{"conversationId":"1","conversationId":"2"}',
  ]);
  assert.equal(scan('{"conversationId":"1",\n"a":1}\n{"conversationId":"2"}').error?.code, 'broken-json');
});

test('where a page is expected nothing else is taken', () => {
  assert.equal(scan('[1]', { page: true }).error?.code, 'broken-json');
  assert.equal(scan('{"conversations":[1]}\n{"conversations":[2]}', { page: true }).error?.code, 'trailing-text');
});

test('records within a chunk share its memory, and one that spans chunks is copied once', () => {
  const scanner = new RecordScanner(LIMITS);
  const chunk = Buffer.from('[{"a":1},{"b":');
  const [inside] = scanner.push(chunk);
  assert.equal(inside?.bytes?.buffer, chunk.buffer);
  const [across] = scanner.push(Buffer.from('2}]'));
  chunk.fill(0);
  assert.equal(across?.bytes?.toString(), '{"b":2}');
});

test('a record in a million pieces takes linear time', { timeout: 20_000 }, () => {
  const scanner = new RecordScanner({ maxRecordBytes: 8 * 1024 * 1024, maxDepth: 8 });
  scanner.push(Buffer.from('["'));
  const letter = Buffer.from('x');
  for (let index = 0; index < 1_000_000; index += 1) scanner.push(letter);
  const [record] = scanner.push(Buffer.from('"]'));
  assert.equal(record?.bytes?.length, 1_000_002);
});
