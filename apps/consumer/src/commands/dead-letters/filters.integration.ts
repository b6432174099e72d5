import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { DeadLetterList, DeadLetterStats, PurgeReport, ReplayReport } from '@genesys-kafka/dead-letters';
import { ConsumerProcess, runConsumer } from '../../../fixtures/consumer-process.ts';
import { letterFlood, toObjects, toTopic } from '../../../fixtures/letter-flood.ts';
import { json, refused, useLetterStores } from '../../../fixtures/letter-stores.ts';
import { Target } from '../../../fixtures/target.ts';

const stores = useLetterStores();
const { skip, freshBucket } = stores;

test(
  'filters choose; a name that is nowhere and an expression that is none are faults of usage, with what there is',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 12, stores.storage.settings(await freshBucket()));
    const count = async (...flags: readonly string[]) =>
      (await json<DeadLetterStats>(area, more, 'dead-letters', 'stats', ...flags)).letters;
    assert.equal(await count('--key', 'c-3'), 1);
    const { letters } = await json<DeadLetterList>(area, more, 'dead-letters', 'list', '--key', 'c-3');
    assert.equal(await count('--id', letters[0]!.id), 1);
    assert.equal(await count('--id', letters[0]!.id, '--key', 'c-4'), 0);
    assert.equal(await count('--where', 'record.conversationId == "c-3" || headers["ordinal"] == "4"'), 2);
    assert.equal(await count('--since', '1h', '--route', 'crm', '--cause', 'http-422', '--stage', 'deliver'), 12);
    assert.equal(await count('--until', '1h'), 0);
    assert.equal(await count('--state', 'replayed'), 0);
    for (const cause of ['http-500', 'timeout', 'postgres-22P02'])
      assert.equal(await count('--cause', cause), 0, 'it may come at any time');
    assert.equal(await count('--key', 'nobody'), 0);
    for (const store of ['topic', 'objects']) assert.equal(await count('--store', store), 12);
    // Three that the topic never had.
    const alone = letterFlood(area, 109).filter((_, index) => index > 100 && index % 3 === 2);
    await toObjects(more.deadLetters.objects as never, alone);
    for (const [store, there] of [
      ['topic', 12],
      ['objects', 15],
    ] as const) {
      assert.equal(await count('--store', store), there, store);
      const dry = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--dry-run', '--store', store);
      assert.equal(dry.replayed, there, store);
    }
    assert.equal(await count(), 15);
    for (const [flags, says] of [
      [
        ['--route', 'cmr'],
        /filter-name-unknown: No dead letter is of route "cmr"\. There are: crm, producer, unrouted\./,
      ],
      [['--cause', 'http422'], /No dead letter is of cause "http422"\. There are: http-422\./],
      [['--stage', 'delivery'], /Allowed choices are .*deliver/],
      [['--where', 'record.n =='], /expression-invalid: --where is not usable/],
      [['--where', 'recrod.n == 1.0'], /expression-invalid: --where is not usable/],
      [['--since', 'yesterday'], /Write a day such as/],
      [['--since', '2026-02-01', '--until', '2026-01-01'], /filter-span-empty: --since is 2026-02-01T.* 2026-01-01T/],
      [['--since', '1h', '--until', '2h'], /filter-span-empty.*the longer one is earlier/],
    ] as const) {
      const { stderr } = await runConsumer(area.config(more), ['dead-letters', 'stats', ...flags], 2);
      assert.match(stderr, says);
    }
  },
);

test('dead letters on which --where fails are left out, and told of', { skip }, async () => {
  await using area = await stores.bus.area();
  await using target = await Target.listen();
  const more = await refused(area, target, 3, stores.storage.settings(await freshBucket()));
  const where = ['--where', 'record.n == 0.0 && (record.conversationId == "c-1" || record.conversationId > 1.0)'];
  const { stdout, stderr } = await runConsumer(area.config(more), ['dead-letters', 'stats', ...where]);
  assert.equal((JSON.parse(stdout) as DeadLetterStats).letters, 1);
  const line = stderr.split('\n').find((text) => text.includes('--where fails'));
  const { deadLetters, reason } = JSON.parse(line!) as { deadLetters: number; reason: string };
  assert.equal(deadLetters, 2);
  assert.match(reason, /overload.* at column \d+$/);
});

test(
  'purge says what it would do, then deletes from object storage and hides on the topic; who did it is kept',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    await using target = await Target.listen();
    const more = await refused(area, target, 10, stores.storage.settings(await freshBucket()));
    const bucket = more.deadLetters.objects.bucket!;
    const three = ['--where', 'record.conversationId in ["c-1", "c-2", "c-3"]'];
    const dry = await json<PurgeReport>(area, more, 'dead-letters', 'purge', ...three);
    assert.deepEqual(dry, { purged: 3, marked: 3, deleted: 3, unreadable: 0, dryRun: true });
    assert.equal((await stores.storage.lines(bucket)).length, 10);
    const done = await json<PurgeReport>(area, more, 'dead-letters', 'purge', ...three, '--yes');
    assert.deepEqual(done, { ...dry, dryRun: false });
    assert.deepEqual((await stores.storage.lines(bucket)).map(({ key }) => key).sort(), [
      'c-0',
      'c-4',
      'c-5',
      'c-6',
      'c-7',
      'c-8',
      'c-9',
    ]);
    const stats = await json<DeadLetterStats>(area, more, 'dead-letters', 'stats');
    assert.equal(stats.letters, 7);
    const [action] = stats.actions;
    assert.deepEqual(
      [action?.action, action?.state, action?.counts],
      ['purge', 'ended', { purged: 3, marked: 3, deleted: 3 }],
    );
    assert.match(action!.by, /.@./);
    assert.deepEqual(action!.filter, { where: three[1] });
    for (const store of ['topic', 'objects']) {
      assert.equal((await json<DeadLetterStats>(area, more, 'dead-letters', 'stats', '--store', store)).letters, 7);
    }
    const all = await json<ReplayReport>(area, more, 'dead-letters', 'replay', '--dry-run');
    assert.equal(all.replayed, 7, 'what was purged is not replayed');
  },
);

test(
  'a purge that ends between topic and object storage is gone on with by the same command; what comes again is shown again',
  { skip },
  async () => {
    await using area = await stores.bus.area();
    const bucket = await freshBucket();
    const objects = stores.storage.settings(bucket);
    const more = {
      routes: [{ name: 'crm', sink: 'crm' }],
      sinks: { crm: { type: 'http', url: 'http://127.0.0.1:1/' } },
      deadLetters: { objects },
    };
    const letters = letterFlood(area, 20);
    await Promise.all([toTopic(area, letters), toObjects(objects as never, letters)]);
    stores.storage.proxy.watch(({ direction, bytes }) =>
      direction === 'toTarget' && bytes.toString('latin1', 0, 7) === 'DELETE ' ? 'reset' : 'forward',
    );
    const purge = ['dead-letters', 'purge', '--yes'] as const;
    const { stderr } = await runConsumer(area.config(more), purge, 1);
    assert.match(stderr, /letter-store-away/);
    stores.storage.proxy.watch(undefined);
    const there = async () => (await json<DeadLetterStats>(area, more, 'dead-letters', 'stats')).letters;
    assert.equal(await there(), 20, 'what is still in object storage is told of');
    const done = await json<PurgeReport>(area, more, ...purge);
    assert.deepEqual(done, { purged: 20, marked: 0, deleted: 20, unreadable: 0, dryRun: false });
    assert.equal(await there(), 0);
    assert.deepEqual(await stores.storage.lines(bucket), []);
    // As after the ledger was reset, and the same source was read and refused once more.
    await toTopic(area, letters.slice(0, 3));
    assert.equal(await there(), 3);
  },
);

test('export writes the lines of the contract, whichever store they come from', { skip }, async () => {
  await using area = await stores.bus.area();
  await using target = await Target.listen();
  const more = await refused(area, target, 4, stores.storage.settings(await freshBucket()));
  const bucket = more.deadLetters.objects.bucket!;
  const exported = async (...flags: readonly string[]) => {
    await using consumer = await ConsumerProcess.start(area.config(more), 'dead-letters', 'export', ...flags);
    return await consumer.ended;
  };
  assert.match((await exported()).stderr, /export-two-documents/);
  const file = join(await mkdtemp(join(tmpdir(), 'letters-')), 'letters.ndjson');
  const nowhere = await exported('--to', join(file, 'below-no-folder.ndjson'));
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.stderr, /^error: output-failed: .*below-no-folder\.ndjson cannot be written \(ENOENT\)/m);
  const atOnce = await Promise.all(
    Array.from({ length: 4 }, async () => json(area, more, 'dead-letters', 'export', '--to', file)),
  );
  assert.deepEqual(atOnce, Array(4).fill({ exported: 4, unreadable: 0, file }));
  assert.deepEqual(await readdir(dirname(file)), ['letters.ndjson']);
  for (const store of ['topic', 'objects']) {
    const { stdout, stderr } = await exported('--store', store, '--to', file);
    assert.equal((JSON.parse(stdout) as { exported: number }).exported, 4, stderr);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const byId = (all: readonly { readonly id: string }[]) => all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const typo = await runConsumer(
      area.config(more),
      ['dead-letters', 'export', '--cause', 'http422', '--to', file],
      2,
    );
    assert.match(typo.stderr, /filter-name-unknown/);
    assert.equal((await readFile(file, 'utf8')).trim(), lines.join('\n'), 'what was exported before is still there');
    assert.deepEqual(
      byId(lines.map((line) => JSON.parse(line) as { id: string })),
      byId(await stores.storage.lines(bucket)),
    );
  }
});
