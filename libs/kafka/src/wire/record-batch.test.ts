import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { KafkaError } from '../errors.ts';
import type { ConsumedRecord, RecordView } from '../port.ts';
import { decodeBatches } from './record-batch.ts';
import { EncodedRecords } from './record-encoder.ts';
import { UnpackBudget } from './unpack-budget.ts';

interface BatchSpec {
  readonly baseOffset: number;
  /** Offset deltas and values of the records that are left. */
  readonly records: readonly (readonly [delta: number, value: string | null])[];
  readonly lastDelta?: number;
  readonly producerId?: number;
  readonly transactional?: boolean;
  readonly control?: 'commit' | 'abort';
  readonly zstd?: boolean;
  readonly logAppendTime?: boolean;
  /** What both headers are called; default `h`. */
  readonly headerName?: string;
}

const FIRST_TIMESTAMP = 1_700_000_000_000;
const MAX_TIMESTAMP = 1_800_000_000_000;

/** Message format 2 as the protocol guide describes it; the checksum is not looked at. */
function encodeBatch(spec: BatchSpec): Buffer {
  const records = spec.records.map(([delta, value]) => encodeRecord(delta, value, spec));
  const body = spec.zstd ? zstdCompressSync(Buffer.concat(records)) : Buffer.concat(records);
  const header = Buffer.alloc(61);
  const attributes =
    (spec.zstd ? 4 : 0) | (spec.logAppendTime ? 8 : 0) | (spec.transactional ? 16 : 0) | (spec.control ? 32 : 0);
  header.writeBigInt64BE(BigInt(spec.baseOffset), 0);
  header.writeInt32BE(header.length - 12 + body.length, 8);
  header.writeInt8(2, 16);
  header.writeInt16BE(attributes, 21);
  header.writeInt32BE(spec.lastDelta ?? spec.records.at(-1)?.[0] ?? 0, 23);
  header.writeBigInt64BE(BigInt(FIRST_TIMESTAMP), 27);
  header.writeBigInt64BE(BigInt(MAX_TIMESTAMP), 35);
  header.writeBigInt64BE(BigInt(spec.producerId ?? -1), 43);
  header.writeInt32BE(records.length, 57);
  return Buffer.concat([header, body]);
}

function encodeRecord(delta: number, value: string | null, { control, headerName = 'h' }: BatchSpec): Buffer {
  const key = control ? Buffer.from([0, 0, 0, control === 'commit' ? 1 : 0]) : Buffer.from('k');
  const content = Buffer.concat([
    Buffer.from([0]),
    varint(delta * 10),
    varint(delta),
    varint(key.length),
    key,
    value === null ? varint(-1) : Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)]),
    varint(2),
    ...['first', 'second'].flatMap((text) => [
      ...[varint(headerName.length), Buffer.from(headerName)],
      ...[varint(text.length), Buffer.from(text)],
    ]),
  ]);
  return Buffer.concat([varint(content.length), content]);
}

function encodeBytes(...texts: readonly string[]): Buffer {
  return Buffer.concat(texts.flatMap((text) => [varint(Buffer.byteLength(text)), Buffer.from(text)]));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** Whoever looks at the records where they lie sees the same ones. */
async function decode(bytes: Buffer, from = 0n, aborted: { producerId: bigint; firstOffset: bigint }[] = []) {
  const source = { topic: 't', partition: 1, from, aborted };
  const decoded = await decodeBatches(bytes, { ...source, budget: new UnpackBudget(1e6) });
  const seen: Pick<ConsumedRecord, 'offset' | 'key' | 'value'>[] = [];
  const visit = ({ bytes: all, offset, keyFrom, keyTo, valueFrom, valueTo }: RecordView) => {
    const part = (start: number, end: number) => (end < start ? null : Buffer.from(all.subarray(start, end)));
    seen.push({ offset, key: part(keyFrom, keyTo), value: part(valueFrom, valueTo) });
  };
  const shown = await decodeBatches(bytes, { ...source, budget: new UnpackBudget(1e6), visit });
  assert.deepEqual(shown, { records: [], unwanted: 0, nextOffset: decoded.nextOffset, memory: [] });
  assert.deepEqual(
    seen,
    decoded.records.map(({ offset, key, value }) => ({ offset, key, value })),
  );
  // What is not wanted is counted, and nothing else is different.
  const odd = ({ offset }: { readonly offset: bigint }) => offset % 2n === 1n;
  const wanted = await decodeBatches(bytes, { ...source, budget: new UnpackBudget(1e6), wants: odd });
  const records = decoded.records.filter(odd);
  assert.deepEqual(wanted, { ...decoded, records, unwanted: decoded.records.length - records.length });
  return decoded;
}

test('records come with offset, time, key, value and headers, compressed or not', async () => {
  for (const zstd of [false, true]) {
    const batch = encodeBatch({
      baseOffset: 100,
      records: [
        [0, 'a'],
        [3, null],
      ],
      zstd,
    });
    const { records, nextOffset } = await decode(batch);
    assert.deepEqual(
      records.map(({ offset, timestampMs, value }) => [offset, timestampMs, value?.toString()]),
      [
        [100n, FIRST_TIMESTAMP, 'a'],
        [103n, FIRST_TIMESTAMP + 30, undefined],
      ],
    );
    assert.deepEqual([records[0]!.topic, records[0]!.partition, records[0]!.key], ['t', 1, Buffer.from('k')]);
    assert.deepEqual(records[0]!.headers, { h: Buffer.from('second') });
    assert.equal(nextOffset, 104n);
  }
  const [stamped] = (await decode(encodeBatch({ baseOffset: 0, records: [[0, 'a']], logAppendTime: true }))).records;
  assert.equal(stamped!.timestampMs, MAX_TIMESTAMP);
});

test('what was unpacked is in hand while records lie in it, and given back at once where none does', async () => {
  const bytes = encodeBatch({ baseOffset: 0, records: [[0, 'a'.repeat(100_000)]], zstd: true });
  const unpacked: Buffer[] = [];
  class Spied extends UnpackBudget {
    override async unpack(codec: number, body: Buffer): Promise<Buffer | undefined> {
      const records = await super.unpack(codec, body);
      unpacked.push(records!);
      return records;
    }
  }
  const source = { topic: 't', partition: 1, from: 0n, aborted: [], budget: new Spied(1e6) };
  const { memory } = await decodeBatches(bytes, source);
  await decodeBatches(bytes, { ...source, wants: () => false });
  const seen: Buffer[] = [];
  await decodeBatches(bytes, {
    ...source,
    visit: ({ bytes: all, valueFrom, valueTo }) => seen.push(all.subarray(valueFrom, valueTo)),
  });
  assert.deepEqual(memory, unpacked.slice(0, 1));
  assert.equal(seen[0]?.length, 100_000, 'what is shown may be kept while the others are');
  assert.deepEqual(
    unpacked.map(({ length }) => length > 0),
    [true, false, true],
  );
  const plain = encodeBatch({ baseOffset: 0, records: [[0, 'a'.repeat(100_000)]] });
  assert.deepEqual((await decodeBatches(plain, source)).memory, []);
  assert.equal((await decodeBatches(plain, { ...source, wants: () => false })).unwanted, 1);
  assert.ok(plain.length > 100_000, 'it lies with what else was fetched');
});

test('__proto__ is the name of a header like any other, and goes on with the record', async () => {
  for (const headerName of ['__proto__', 'constructor', 'toString']) {
    const { records } = await decode(encodeBatch({ baseOffset: 0, records: [[0, 'a']], headerName }));
    const [{ headers }] = records as [(typeof records)[number]];
    assert.deepEqual(Object.entries(headers), [[headerName, Buffer.from('second')]]);
    assert.equal(Object.getPrototypeOf(headers), Object.prototype);
    // Moved on beside other headers, as to a retry topic.
    const moved = new EncodedRecords([{ key: null, value: null, headers: { ...headers, other: 'x' } }]);
    const bytes = Buffer.alloc(moved.bytes);
    moved.writeTo(bytes);
    assert.ok(bytes.includes(headerName) && bytes.includes('second'));
  }
});

test('the next offset passes over what compaction took away, also where a batch is empty', async () => {
  const bytes = Buffer.concat([
    encodeBatch({ baseOffset: 10, records: [[1, 'a']], lastDelta: 4 }),
    encodeBatch({ baseOffset: 15, records: [], lastDelta: 9 }),
  ]);
  const { records, nextOffset } = await decode(bytes, 10n);
  assert.deepEqual(
    records.map(({ offset }) => offset),
    [11n],
  );
  assert.equal(nextOffset, 25n);
  assert.deepEqual(await decode(Buffer.alloc(0)), { records: [], unwanted: 0, nextOffset: undefined, memory: [] });
});

test('a fetch inside a batch leaves out what lies before, and a cut-off batch waits for the next fetch', async () => {
  const first = encodeBatch({
    baseOffset: 0,
    records: [
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ],
  });
  const second = encodeBatch({ baseOffset: 3, records: [[0, 'd']] });
  for (let cut = 0; cut < second.length; cut += 1) {
    const { records, nextOffset } = await decode(Buffer.concat([first, second.subarray(0, cut)]), 2n);
    assert.deepEqual(
      records.map(({ value }) => String(value)),
      ['c'],
    );
    assert.equal(nextOffset, 3n);
  }
});

test('a producer’s aborted records end at its marker; others’ records in between stay', async () => {
  const t = { transactional: true } as const;
  const bytes = Buffer.concat([
    encodeBatch({ ...t, baseOffset: 0, producerId: 7, records: [[0, 'aborted']] }),
    encodeBatch({ ...t, baseOffset: 1, producerId: 8, records: [[0, 'kept']] }),
    encodeBatch({ baseOffset: 2, records: [[0, 'plain']] }),
    encodeBatch({ ...t, baseOffset: 3, producerId: 7, records: [[0, 'aborted too']] }),
    encodeBatch({ ...t, baseOffset: 4, producerId: 7, control: 'abort', records: [[0, 'marker']] }),
    encodeBatch({ ...t, baseOffset: 5, producerId: 7, records: [[0, 'next transaction']] }),
    encodeBatch({ ...t, baseOffset: 6, producerId: 8, control: 'commit', records: [[0, 'marker']] }),
    encodeBatch({ ...t, baseOffset: 7, producerId: 7, records: [[0, 'aborted again']] }),
    encodeBatch({ ...t, baseOffset: 8, producerId: 7, control: 'abort', records: [[0, 'marker']] }),
  ]);
  const aborted = [
    { producerId: 7n, firstOffset: 7n },
    { producerId: 7n, firstOffset: 0n },
  ];
  const { records, nextOffset } = await decode(bytes, 0n, aborted);
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    ['kept', 'plain', 'next transaction'],
  );
  assert.equal(nextOffset, 9n);
});

test('what one fetch may unpack to ends it before the batch that is too much, and the next one starts there', async () => {
  const batch = (baseOffset: number) => encodeBatch({ baseOffset, records: [[0, 'x'.repeat(600)]], zstd: true });
  const source = { topic: 't', partition: 1, from: 0n, aborted: [], budget: new UnpackBudget(1000) };
  const { records, nextOffset } = await decodeBatches(Buffer.concat([batch(0), batch(1), batch(2)]), source);
  assert.deepEqual([records.length, nextOffset], [1, 1n]);
  const later = await decodeBatches(batch(5), { ...source, partition: 2 });
  assert.deepEqual(
    later,
    { records: [], unwanted: 0, nextOffset: undefined, memory: [] },
    'another partition of the same fetch',
  );
});

test('12,000 headers on one record are read in no time to speak of, and `__proto__` is a name like others', async () => {
  const name = (at: number) => (at === 0 ? '__proto__' : `h${at}`);
  const headers = Array.from({ length: 12_000 }, (_, at) => encodeBytes(name(at), 'v'));
  const start = Buffer.from([0, 0, 0, 1, 1]);
  const content = Buffer.concat([start, varint(headers.length), ...headers]);
  const whole = encodeBatch({ baseOffset: 0, records: [] });
  const batch = Buffer.concat([whole, varint(content.length), content]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(1, 57);
  const { records } = await decode(batch);
  assert.equal(Object.keys(records[0]!.headers).length, 12_000);
  assert.equal(String(Object.entries(records[0]!.headers)[0]), '__proto__,v');
});

test('whatever the bytes are, the answer is records or a KafkaError', async () => {
  const good = encodeBatch({
    baseOffset: 0,
    records: [
      [0, 'a'],
      [1, 'b'],
    ],
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, byte) => {
      const bytes = Buffer.from(good);
      bytes[at] = byte;
      try {
        await decode(bytes);
      } catch (error) {
        assert.ok(error instanceof KafkaError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
