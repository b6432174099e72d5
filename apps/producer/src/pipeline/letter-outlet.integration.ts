import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LetterStorage, type Line } from '@genesys-kafka/dead-letters/letter-storage';
import { missingStorage, uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { runProducer, startProducer } from '../../fixtures/processes.ts';
import { arrayOf, conversation } from '../../fixtures/records.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished } from '../../fixtures/topics.ts';
import type { Report } from '../export/report.ts';

const servers = useServers();
const skip = missingStorage();
let storage: LetterStorage;
before(async () => {
  if (skip === undefined) storage = await LetterStorage.start();
});
after(async () => {
  if (skip === undefined) await storage[Symbol.asyncDispose]();
});

const RECORDS = 3000;
/** Every tenth is invalid, of two causes. */
const content = arrayOf(
  Array.from({ length: RECORDS }, (_, index) => {
    if (index % 20 === 0) return `{"conversationId":"bad-${index}"}`;
    return index % 20 === 10 ? String(index) : conversation(`good-${index}`);
  }),
);
const invalid = Array.from({ length: RECORDS / 10 }, (_, index) => index * 10);

interface Place {
  readonly prefix: string;
  readonly bucket: string;
  readonly args: readonly string[];
}

let places = 0;

async function place(deadLetters: { readonly topic: boolean }): Promise<Place> {
  const bucket = `outlet-${process.pid}-${(places += 1)}`;
  await storage.makeBucket(bucket);
  const [config, archive] = [join(servers.dir, `${bucket}.yaml`), join(servers.dir, `${bucket}.json`)];
  const settings = { deadLetters: { ...deadLetters, objects: storage.settings(bucket) }, invalid: { max: '50%' } };
  await Promise.all([writeFile(config, JSON.stringify(settings)), writeFile(archive, content)]);
  return { prefix: uniquePrefix(), bucket, args: ['--config', config, '--json', 'publish', archive] };
}

const ordinalsOf = (lines: readonly Line[]) =>
  lines.map(({ origin }) => (origin as { ordinal: number }).ordinal).sort((a, b) => a - b);

test(
  'invalid records are lines in object storage and records on the topic, with their bytes and their place',
  { skip },
  async () => {
    const { prefix, bucket, args } = await place({ topic: true });
    const startedMs = Date.now();
    const { status, stdout, stderr } = await runProducer(args, servers.env(prefix));
    assert.equal(status, 3, stderr);
    assert.deepEqual((JSON.parse(stdout) as Report).records, {
      read: RECORDS,
      published: RECORDS - invalid.length,
      invalid: invalid.length,
      unchanged: 0,
    });
    const lines = await storage.lines(bucket);
    assert.deepEqual(ordinalsOf(lines), invalid);
    assert.ok((await storage.keys(bucket)).length <= 10, 'gathered in few objects');
    const { deadLetters } = await readPublished(servers.client, prefix);
    assert.equal(deadLetters.length, invalid.length);
    const line = lines.find(({ origin }) => (origin as { ordinal: number }).ordinal === 20)!;
    const { stage, cause, framing, attempts, record, key, route } = line;
    assert.deepEqual(
      { stage, cause, framing, attempts, record, route },
      {
        stage: 'validate',
        cause: 'schema-violation',
        framing: 'none',
        attempts: 0,
        record: '{"conversationId":"bad-20"}',
        route: undefined,
      },
    );
    const { source, byteRange } = line.origin as { source: string; byteRange: { start: number; end: number } };
    assert.equal(key, 'bad-20');
    assert.equal(line.id, `${source}/20//0`);
    assert.equal(content.subarray(byteRange.start, byteRange.end).toString(), record);
    // The day may have changed meanwhile.
    const days = new Set(
      [startedMs, Date.now()].map((ms) => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '/')),
    );
    const causes = new Set<string>();
    for (const name of await storage.keys(bucket)) {
      const [, day, cause] = /^dl\/(\d{4}\/\d\d\/\d\d)\/producer\/([^/]+)\/[^/]+$/.exec(name) ?? [];
      assert.ok(day !== undefined && days.has(day), name);
      causes.add(cause!);
    }
    assert.deepEqual([...causes].sort(), ['not-an-object', 'schema-violation']);
  },
);

test(
  'a store that is away holds the window up, and kill -9 there loses and doubles nothing; no topic is made',
  { skip },
  async () => {
    const { prefix, bucket, args } = await place({ topic: false });
    storage.proxy.refuse(true);
    const first = startProducer(args, servers.env(prefix));
    const topics = topicSpecs({ prefix });
    // The start asks once whether the store is there; the waits are between attempts to write. After some of them all
    // would have been published, were it not for the store.
    const attempts = Promise.withResolvers<undefined>();
    let said = '';
    first.child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const waits = said.match(/"waitMs":[1-9].*dead letters were not written to object storage/g) ?? [];
      if (waits.length >= 4) attempts.resolve(undefined);
    });
    await Promise.race([attempts.promise, first.ended]);
    assert.equal(first.child.exitCode, null, said);
    assert.deepEqual((await readPublished(servers.client, prefix)).records, []);
    first.child.kill('SIGKILL');
    await first.ended;
    storage.proxy.refuse(false);
    const second = await runProducer(args, servers.env(prefix));
    assert.equal(second.status, 3, second.stderr);
    const { records } = await readPublished(servers.client, prefix);
    assert.equal(new Set(records.map(({ ordinal }) => ordinal)).size, RECORDS - invalid.length);
    assert.equal(records.length, RECORDS - invalid.length);
    assert.deepEqual(ordinalsOf(await storage.lines(bucket)), invalid);
    assert.equal(await servers.client.admin.describeTopic(topics.deadLetters.name), undefined);
  },
);

test('a bucket that is not there ends the start, with what to correct', { skip }, async () => {
  const config = join(servers.dir, 'no-bucket.yaml');
  const objects = storage.settings(`outlet-${process.pid}-none`);
  await writeFile(config, JSON.stringify({ deadLetters: { objects } }));
  const source = join(servers.dir, 'one.json');
  await writeFile(source, arrayOf([conversation('one')]));
  const { status, stderr } = await runProducer(['--config', config, 'publish', source], servers.env(uniquePrefix()));
  assert.equal(status, 1);
  assert.match(stderr, /letter-store-refuses: .*Check the name of the bucket, and deadLetters\.objects\.endpoint/);
  assert.doesNotMatch(stderr, new RegExp(objects.secretAccessKey!));
});
