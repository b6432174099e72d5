import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Logger } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import {
  missingStorage,
  startProxy,
  startStorage,
  uniquePrefix,
  type ChaosProxy,
  type Storage,
} from '@genesys-kafka/testing';
import { runProducer } from '../../fixtures/processes.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished } from '../../fixtures/topics.ts';
import { zipOf } from '../../fixtures/zip.ts';
import { SETTINGS } from '../settings.ts';
import { ArchiveFetcher } from './archive-fetcher.ts';
import { ObjectSources } from './object-sources.ts';

const log = { warn: () => undefined } as unknown as Logger;
const never = new AbortController().signal;
const bucket = `sources-${process.pid}`;
const MIB = 1024 * 1024;
const servers = useServers();
const skip = missingStorage();
let storage: Storage;
let client: S3Client;
let proxy: ChaosProxy;

before(async () => {
  if (skip !== undefined) return;
  storage = await startStorage({ onProgress: (line) => console.error(line) });
  const { accessKeyId, secretAccessKey, endpoint, region } = storage;
  client = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  proxy = await startProxy({ target: new URL(endpoint).host });
});

after(async () => {
  if (skip !== undefined) return;
  await proxy.close();
  client.destroy();
  await storage[Symbol.asyncDispose]();
});

const put = async (key: string, body: Buffer | string) =>
  client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body) }));

function env(): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: `http://${proxy.address}`,
    AWS_REGION: storage.region,
    AWS_ACCESS_KEY_ID: storage.accessKeyId,
    AWS_SECRET_ACCESS_KEY: storage.secretAccessKey,
  };
}

/** Downloads and verifies one object by way of the proxy; what it unpacks to. */
async function contentOf(key: string): Promise<Buffer> {
  const settings = loadSettings(SETTINGS, { env: { ...env(), SPOOL_DIR: `${servers.dir}/spool` } });
  await using fetcher = new ArchiveFetcher(settings, log);
  await using sources = new ObjectSources(settings, fetcher);
  const { objects } = await sources.find(`s3://${bucket}/${key}`, never);
  assert.deepEqual(
    objects.map(({ name }) => name),
    [`s3://${bucket}/${key}`],
  );
  await using archive = await objects[0]!.open(never);
  const chunks: Buffer[] = [];
  // A piece is good only until the next one is asked for.
  for await (const chunk of archive.open(never)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Of so many MiB, which do not pack: its ZIP is larger. */
function document(mib: number): Buffer {
  return arrayOf(
    Array.from({ length: mib }, (_, index) =>
      JSON.stringify({ conversationId: String(index), noise: randomBytes((MIB * 3) / 4).toString('base64') }),
    ),
  );
}

/** Breaks the first body off after so many bytes; tells of the heads of all requests from then on. */
function breakOff(afterBytes: number, onBreak: () => void): string[] {
  let left = afterBytes;
  const heads: string[] = [];
  proxy.watch(({ direction, bytes }) => {
    if (direction === 'toTarget') {
      if (left <= 0) heads.push(bytes.toString('latin1').toLowerCase());
      return 'forward';
    }
    const isOver = left > 0 && left <= bytes.length;
    left -= bytes.length;
    if (!isOver) return 'forward';
    onBreak();
    return 'reset';
  });
  return heads;
}

test(
  'a ZIP of 50 MB whose connection is reset in mid-body goes on where it was, under the same ETag',
  { skip },
  async () => {
    const content = document(68);
    const zip = zipOf({ name: 'day.json', data: content });
    assert.ok(zip.length > 50_000_000, `${zip.length} bytes`);
    await put('large/day.zip', zip);
    // Of that 16 MiB may still wait in the proxy, and more in the kernel, where the disk is slow.
    const heads = breakOff(40 * MIB, () => undefined);
    assert.ok((await contentOf('large/day.zip')).equals(content));
    assert.equal(heads.length, 1);
    const from = Number(/\r\nrange: bytes=(\d+)-\r\n/.exec(heads[0]!)?.[1]);
    assert.ok(from > MIB && from <= 40 * MIB, heads[0]);
    assert.match(heads[0]!, /\r\nif-match: "[0-9a-f-]+"\r\n/);
    assert.doesNotMatch(heads[0]!, /\r\nauthorization:/);
  },
);

test('an object that is replaced in mid-download is begun anew, and never two versions in one', { skip }, async () => {
  const [old, next] = [document(8), document(8)];
  await put('changing.json', old);
  const replaced = Promise.withResolvers<unknown>();
  const heads = breakOff(4 * MIB, () => {
    proxy.refuse(true);
    replaced.resolve(put('changing.json', next).finally(() => proxy.refuse(false)));
  });
  assert.ok((await contentOf('changing.json')).equals(next));
  await replaced.promise;
  // Once on the condition that it is the same, then from the beginning.
  assert.deepEqual(
    heads.map((head) => head.includes('\r\nif-match: ')),
    [true, false],
  );
  proxy.watch(undefined);
});

test(
  'publish takes all objects under a prefix, each under its own name, and says whose credentials are wrong',
  { skip },
  async () => {
    for (const nth of [3, 1, 2]) await put(`in/${nth}.json`, arrayOf(conversations(`s3-${nth}`, nth)));
    await put('in/_SUCCESS', '');
    await put('in/sub/', '');
    const prefix = uniquePrefix();
    const given = { ...servers.env(prefix), ...env() };
    const args = ['publish', `s3://${bucket}/in/`, `s3://${bucket}/in/2.json`, `s3://${bucket}/none`, '--json'];
    const { stdout, stderr, status } = await runProducer(args, given);
    const report = JSON.parse(stdout) as {
      readonly sources: readonly { source: string; status: string; records: number; error?: { code: string } }[];
    };
    assert.deepEqual(
      report.sources.map((one) => [one.source, one.status, one.records, one.error?.code]),
      [
        [`s3://${bucket}/in/1.json`, 'done', 1, undefined],
        [`s3://${bucket}/in/2.json`, 'done', 2, undefined],
        [`s3://${bucket}/in/3.json`, 'done', 3, undefined],
        [`s3://${bucket}/in/2.json`, 'done', 2, undefined],
        [`s3://${bucket}/none`, 'rejected', 0, 's3-object-missing'],
      ],
    );
    assert.equal(status, 3);
    assert.match(stderr, /_SUCCESS/);
    assert.equal((await readPublished(servers.client, prefix)).records.length, 6);

    const wrong = await runProducer(args, { ...given, AWS_SECRET_ACCESS_KEY: 'another-secret-canary' });
    assert.equal(wrong.status, 1, wrong.stderr);
    assert.match(wrong.stderr, /s3-credentials-refused: .*check s3\.secretAccessKey/);
    for (const { stdout: out, stderr: err } of [{ stdout, stderr }, wrong]) {
      assert.doesNotMatch(out + err, /X-Amz|canary|storage-test-secret/);
    }
  },
);

test('check tries the storage that is configured, and passes over one that is not', { skip }, async () => {
  const said = async (given: Record<string, string>) => {
    const { stdout } = await runProducer(['check', '--json'], { ...servers.env(uniquePrefix()), ...given });
    const { checks } = JSON.parse(stdout) as { checks: { check: string; status: string; message: string }[] };
    const { status, message } = checks.find(({ check }) => check === 's3')!;
    return `${status}: ${message}`;
  };
  assert.match(await said(env()), /^ok: 127\.0\.0\.1:\d+ answers; \d+ buckets/);
  assert.match(
    await said({ ...env(), AWS_REGION: 'eu-west-3' }),
    /^failed: .*Set s3\.region \(AWS_REGION\) to us-east-1/,
  );
  assert.match(await said({}), /^skipped: /);
});
