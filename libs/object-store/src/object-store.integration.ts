import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { missingStorage, startStorage, type Storage } from '@genesys-kafka/testing';
import { connectObjectStore } from './connect.ts';
import { showObject } from './object-address.ts';

const never = new AbortController().signal;
const bucket = `object-store-${process.pid}`;
const skip = missingStorage();
let storage: Storage;
let client: S3Client;

before(async () => {
  if (skip !== undefined) return;
  storage = await startStorage({ onProgress: (line) => console.error(line) });
  const { accessKeyId, secretAccessKey, endpoint, region } = storage;
  client = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
});

after(async () => {
  if (skip !== undefined) return;
  client.destroy();
  await storage[Symbol.asyncDispose]();
});

const put = async (key: string, body: string) =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body) }));

test('1,200 objects are listed over all pages, in their order, and no others', { skip }, async () => {
  const keys = Array.from({ length: 1200 }, (_, index) => `many/${String(index).padStart(4, '0')}.json`);
  for (let from = 0; from < keys.length; from += 50) {
    await Promise.all(keys.slice(from, from + 50).map((key) => put(key, '[]')));
  }
  await put('manyfold', '[]');
  await using store = await connectObjectStore(storage, undefined);
  const listed = await store.list({ bucket, key: 'many/' }, never);
  assert.deepEqual(
    listed.map(({ key }) => key),
    keys,
  );
  assert.ok(listed.every(({ bytes }) => bytes === 2));
});

test('a signed link brings the object whatever its key holds, and shows nothing of the secret', { skip }, async () => {
  await using store = await connectObjectStore(storage, undefined);
  for (const key of ['a b+c%20.json', 'ä/ö.json', "x/(1)'!*&=?#.json"]) {
    await put(key, JSON.stringify(key));
    await store.probe({ bucket, key }, never);
    const link = await store.signedLink({ bucket, key });
    assert.ok(!link.includes(storage.secretAccessKey));
    assert.equal(await (await fetch(link)).text(), JSON.stringify(key), showObject({ bucket, key }));
  }
});

test('what is put is there whole, and replaces what was; trying leaves nothing', { skip }, async () => {
  await using store = await connectObjectStore(storage, undefined);
  const key = "put/ä b+c%20(1)'!*=.gz";
  const large = Buffer.alloc(5 * 1024 * 1024, 'abc');
  for (const body of [Buffer.from('one'), large, Buffer.alloc(0)]) {
    await store.put({ bucket, key }, body, never);
    const answer = await fetch(await store.signedLink({ bucket, key }));
    assert.ok(body.equals(Buffer.from(await answer.arrayBuffer())));
  }
  await store.tryPut({ bucket, key: 'put/try' }, never);
  assert.deepEqual(
    (await store.list({ bucket, key: 'put/' }, never)).map((object) => object.key),
    [key],
  );
  for (const call of ['put', 'tryPut'] as const) {
    const there = { bucket: `${bucket}-no`, key };
    const missing = call === 'put' ? store.put(there, large, never) : store.tryPut(there, never);
    await assert.rejects(missing, { code: 's3-bucket-missing' });
  }
});

test('an object is written with the headers that are wished for it, which its signature covers', { skip }, async () => {
  const headers = { 'x-amz-meta-origin': 'genesys kafka', 'x-amz-tagging': 'team=blue&kind=a%20b' };
  await using store = await connectObjectStore({ ...storage, headers }, undefined);
  const address = { bucket, key: 'with-headers' };
  await store.tryPut(address, never);
  await store.put(address, Buffer.from('x'), never);
  const at = { Bucket: bucket, Key: address.key };
  assert.deepEqual((await client.send(new HeadObjectCommand(at))).Metadata, { origin: 'genesys kafka' });
  const { TagSet } = await client.send(new GetObjectTaggingCommand(at));
  assert.deepEqual(
    TagSet?.toSorted((one, other) => (one.Key! < other.Key! ? -1 : 1)),
    [
      { Key: 'kind', Value: 'a b' },
      { Key: 'team', Value: 'blue' },
    ],
  );
});

test('what is missing, and who may not ask, is told by the storage itself', { skip }, async () => {
  await using store = await connectObjectStore(storage, undefined);
  await assert.rejects(store.list({ bucket: `${bucket}-no`, key: '' }, never), { code: 's3-bucket-missing' });
  await assert.rejects(store.probe({ bucket, key: 'no' }, never), { code: 's3-object-missing' });
  assert.match(await store.check(never), /answers; \d+ buckets/);
  for (const [wrong, code] of [
    [{ secretAccessKey: 'another-secret' }, 's3-credentials-refused'],
    [{ accessKeyId: 'another-key' }, 's3-credentials-refused'],
    [{ region: 'eu-west-3' }, 's3-wrong-region'],
  ] as const) {
    await using other = await connectObjectStore({ ...storage, ...wrong }, undefined);
    await assert.rejects(other.list({ bucket, key: '' }, never), { code });
    await assert.rejects(other.check(never), { code });
  }
});

test(
  'an object is written, read, written over and deleted, its bytes as they are; deleting it again is no fault',
  { skip },
  async () => {
    await using store = await connectObjectStore(storage, undefined);
    const address = { bucket, key: 'own/a b%2E/ä+.gz' };
    const random = randomBytes(3 * 1024 * 1024);
    for (const body of [random, Buffer.alloc(0), Buffer.from('{}')]) {
      await store.put(address, body, never);
      assert.deepEqual(await store.get(address, never), body);
    }
    await store.remove(address, never);
    await assert.rejects(store.get(address, never), { code: 's3-object-missing' });
    await store.remove(address, never);
    await assert.rejects(store.put({ bucket: `${bucket}-no`, key: 'x' }, random, never), { code: 's3-bucket-missing' });
  },
);
