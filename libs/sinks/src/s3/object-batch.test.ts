import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ObjectBatch } from './object-batch.ts';

const place = { endpoint: 'https://s3.example', bucket: 'lake', prefix: '{yyyy}/{MM}/{dd}/' };
const name = { topic: 't', partition: 3, first: 42n, tag: 'ab12' };
const DAY_MS = 86_400_000;
const day = (days: number) => Date.parse('2026-02-27T23:59:59.999Z') + days * DAY_MS;
const records = fc.array(fc.record({ text: fc.string({ maxLength: 400 }), days: fc.nat(2) }), { maxLength: 60 });

async function closed(given: readonly { readonly text: string; readonly days: number }[], at = place, as = name) {
  const batch = new ObjectBatch(at, as);
  for (const { text, days } of given) await batch.add(Buffer.from(JSON.stringify({ text })), day(days));
  return batch.close();
}

test('the same records make the same objects, byte for byte: one a day, one record a line, in their order', async () => {
  await fc.assert(
    fc.asyncProperty(records, async (given) => {
      const [one, other] = [await closed(given), await closed(given)];
      assert.deepEqual(one, other);
      for (const [days, key] of ['2026/02/27', '2026/02/28', '2026/03/01'].entries()) {
        const ofDay = given.filter((record) => record.days === days);
        const object = one.objects.find((candidate) => candidate.key.startsWith(key));
        assert.equal(object !== undefined, ofDay.length > 0);
        if (!object) continue;
        assert.equal(object.key, `${key}/t-3-00000000000000000042-ab12.ndjson.gz`);
        const lines = ofDay.map(({ text }) => `${JSON.stringify({ text })}\n`).join('');
        assert.equal(gunzipSync(object.body).toString('utf8'), lines);
      }
    }),
    { numRuns: 30 },
  );
});

test('objects stand in the order of their days; what days a batch meets first is no matter, as its digest says', async () => {
  await fc.assert(
    fc.asyncProperty(records, async (given) => {
      const [one, other] = [await closed(given), await closed(given.toSorted((a, b) => a.days - b.days))];
      assert.deepEqual(one, other);
      const keys = one.objects.map(({ key }) => key);
      assert.deepEqual(keys, keys.toSorted());
      assert.match(one.digest, /^[0-9a-f]{24}$/);
    }),
    { numRuns: 30 },
  );
});

test('what is gathered is compressed a quarter of a MiB at a time, and waited for then alone', async () => {
  const batch = new ObjectBatch(place, name);
  const body = Buffer.alloc(64 * 1024 - 1, 'x');
  for (let piece = 0; piece < 3; piece += 1) {
    const adding = [1, 2, 3, 4].map(() => batch.add(body, day(0)));
    assert.deepEqual(
      adding.map((one) => one !== undefined),
      [false, false, false, true],
    );
    await adding[3];
  }
  batch.abandon();
});

test('another record, order, day, prefix, bucket, endpoint or name is another digest', async () => {
  const given = [
    { text: 'a', days: 0 },
    { text: 'b', days: 0 },
  ];
  const digests = [
    await closed(given),
    await closed(given.slice(1)),
    await closed(given.toReversed()),
    await closed(given.map((record) => ({ ...record, days: 1 }))),
    await closed(given, { ...place, prefix: '' }),
    await closed(given, { ...place, bucket: 'other' }),
    await closed(given, { ...place, endpoint: 'https://other.example' }),
    await closed(given, place, { ...name, tag: 'cd34' }),
  ].map(({ digest }) => digest);
  assert.equal(new Set(digests).size, digests.length);
});

test('more than what is compressed at a time comes out whole, and nothing of a clock is in it', async () => {
  const batch = new ObjectBatch(place, name);
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(100_000) }));
  for (let count = 0; count < 30; count += 1) await batch.add(body, day(0));
  const [object] = (await batch.close()).objects;
  assert.equal(gunzipSync(object!.body).length, 30 * (body.length + 1));
  assert.equal(object!.body.readUInt32LE(4), 0, 'the time in the gzip header');
});
