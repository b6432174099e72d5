import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Delivery, Sink } from '@genesys-kafka/delivery';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import fc from 'fast-check';
import type { FileSinkOptions } from './file-options.ts';
import { createFileSink } from './file-sink.ts';
import { ndjsonLines } from '../ndjson-lines.ts';

const never = new AbortController().signal;
const delivery = (body: string): Delivery => ({
  route: 'r',
  body: Buffer.from(body),
  key: 'c',
  idempotencyKey: 'job:7',
  recordVersion: 42n,
  contentType: 'application/json',
  headers: {},
});

/** The sink, handed one record at a time. */
const oneByOne = (sink: Sink) => ({
  deliver: async (one: Delivery, signal: AbortSignal) => (await sink.deliver([one], signal))[0]!,
  deliverAll: async (batch: readonly Delivery[]) => sink.deliver(batch, never),
  check: async () => sink.check(never),
  close: async () => sink.close(),
});

async function setUp(t: TestContext, options: Partial<FileSinkOptions> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'file-sink-'));
  const path = join(directory, 'out', 'records.ndjson');
  const open = (more: Partial<FileSinkOptions> = {}) => {
    const sink = oneByOne(createFileSink({ path, ...options, ...more }));
    t.after(() => sink.close());
    return sink;
  };
  t.after(() => rm(directory, { recursive: true, force: true }));
  return { path, open, content: async () => readFile(path, 'utf8') };
}

test('law: a line has no line break inside, ends with one, and means the same', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 2, '\n', '\r\n\t'), (json, indent) => {
      const value: unknown = JSON.parse(json);
      const line = ndjsonLines([Buffer.from(JSON.stringify(value, null, indent))]).toString();
      assert.match(line, /^[^\r\n]*\n$/);
      assert.deepEqual(JSON.parse(line), value);
    }),
  );
});

test('the records of a batch are all there, one a line, bytes as they came', async (t) => {
  const { open, content } = await setUp(t);
  const sink = open();
  const bodies = Array.from({ length: 500 }, (_, i) => `{"n":${i}, "big": 9007199254740993,"t":"\\ud83d"}`);
  const outcomes = await sink.deliverAll(bodies.map(delivery));
  assert.equal(outcomes.length, bodies.length);
  assert.ok(outcomes.every(({ kind }) => kind === 'delivered'));
  assert.equal(await content(), `${bodies.join('\n')}\n`);
  await sink.deliver(delivery('{\r\n"a":1\n}'), never);
  assert.match(await content(), /\n\{ {2}"a":1 \}\n$/);
});

test('what a crash left: a half line goes, a whole one gets its end, the lines before stay', async (t) => {
  for (const [left, kept] of [
    ['{"a":1}\n{"b":', '{"a":1}\n'],
    ['{"a":1}\n{"b":2}', '{"a":1}\n{"b":2}\n'],
    [`{"a":1}\n{"b":"${'x'.repeat(200_000)}`, '{"a":1}\n'],
    ['{"a', ''],
    ['{"a":1}\n', '{"a":1}\n'],
  ] as const) {
    const { path, open, content } = await setUp(t);
    await mkdir(join(path, '..'));
    await writeFile(path, left);
    assert.equal((await open().deliver(delivery('{"c":3}'), never)).kind, 'delivered');
    assert.equal(await content(), `${kept}{"c":3}\n`);
  }
});

test('a file of somebody else is left alone, and check says so', async (t) => {
  const { path, open, content } = await setUp(t);
  await mkdir(join(path, '..'));
  await writeFile(path, 'root:x:0:0');
  const sink = open();
  const outcome = await sink.deliver(delivery('{}'), never);
  assert.equal(outcome.kind === 'misconfigured' && outcome.failure.cause, 'file-unusable');
  await assert.rejects(sink.check(), { code: 'sink-file-unusable' });
  assert.equal(await content(), 'root:x:0:0');
  const folder = open({ path: join(path, '..') });
  assert.equal((await folder.deliver(delivery('{}'), never)).kind, 'misconfigured');
});

test('a directory that cannot be made is told, on a file system too that will have none', async (t) => {
  const { path, open } = await setUp(t);
  await open().deliver(delivery('{}'), never);
  const below = open({ path: join(path, 'deep', 'records.ndjson') });
  await assert.rejects(below.check(), { code: 'sink-file-unusable', message: /cannot be written \(ENOTDIR\)/ });
  assert.equal((await below.deliver(delivery('{}'), never)).kind, 'misconfigured');
  // Node's own `mkdir -p` never ends there.
  const nowhere = open({ path: '/proc/none/deep/records.ndjson' });
  await assert.rejects(nowhere.check(), { code: 'sink-file-unusable', message: /cannot be written/ });
});

test('a second writer waits with an open circuit until the first lets go', async (t) => {
  const { open, content } = await setUp(t);
  const [first, second] = [open(), open()];
  await first.deliver(delivery('{"n":1}'), never);
  const outcome = await second.deliver(delivery('{"n":2}'), never);
  assert.equal(outcome.kind === 'misconfigured' && outcome.failure.cause, 'file-locked');
  await second.check();
  await first.close();
  assert.equal((await second.deliver(delivery('{"n":2}'), never)).kind, 'delivered');
  assert.equal(await content(), '{"n":1}\n{"n":2}\n');
});

test('a lock that beats is never taken over, whatever its host name and pid; one that we saw still for 30 s is', async (t) => {
  const { path } = await setUp(t);
  await mkdir(join(path, '..'));
  const clock = new ManualClock();
  const sink = oneByOne(createFileSink({ path }, clock));
  t.after(() => sink.close());
  const deliver = async () => sink.deliver(delivery('{}'), never);
  // As another container would write it, which has our host name and our number; its clock is a day behind ours.
  const lock = `${path}.lock`;
  await writeFile(lock, JSON.stringify({ host: hostname(), pid: process.pid, nonce: 'x' }));
  for (let beat = 0; beat < 8; beat += 1) {
    const touched = new Date(clock.nowMs() - 86_400_000);
    await utimes(lock, touched, touched);
    const locked = await deliver();
    assert.ok(locked.kind === 'misconfigured' && locked.failure.cause === 'file-locked');
    await clock.advance(10_000);
  }
  assert.equal((await deliver()).kind, 'misconfigured', 'still for 10 s');
  await clock.advance(19_999);
  assert.equal((await deliver()).kind, 'misconfigured');
  await clock.advance(1);
  assert.equal((await deliver()).kind, 'delivered');
  await sink.close();
  assert.deepEqual(await readdir(join(path, '..')), ['records.ndjson']);
});

test('a process that was paused while another took its file over stops writing', async (t) => {
  const { path } = await setUp(t);
  const clock = new ManualClock(Date.now());
  const sink = oneByOne(createFileSink({ path }, clock));
  t.after(() => sink.close());
  await sink.deliver(delivery('{}'), never);
  await writeFile(`${path}.lock`, JSON.stringify({ host: 'elsewhere', pid: 1, nonce: 'x' }));
  assert.equal((await sink.deliver(delivery('{}'), never)).kind, 'misconfigured');
});

test('a file that was moved or deleted is begun anew: nothing is acknowledged into the void', async (t) => {
  const { path, open, content } = await setUp(t);
  const sink = open();
  await sink.deliver(delivery('{"n":1}'), never);
  await rename(path, `${path}.old`);
  await sink.deliver(delivery('{"n":2}'), never);
  assert.equal(await content(), '{"n":2}\n');
  assert.equal(await readFile(`${path}.old`, 'utf8'), '{"n":1}\n');
  await rm(path);
  await sink.deliver(delivery('{"n":3}'), never);
  assert.equal(await content(), '{"n":3}\n');
});

test('rotation keeps every record and no file grows past its bound', async (t) => {
  // Two lines to the byte.
  const { path, open } = await setUp(t, { rotate: { bytes: 16 } });
  const sink = open();
  for (let n = 0; n < 10; n += 1) await sink.deliver(delivery(`{"n":${n}}`), never);
  await sink.close();
  const files = await readdir(join(path, '..'));
  const contents = await Promise.all(files.map(async (file) => readFile(join(path, '..', file), 'utf8')));
  assert.equal(files.length, 5);
  assert.ok(contents.every((text) => text.length <= 16));
  assert.deepEqual(
    contents.join('').split('\n').filter(Boolean).sort(),
    Array.from({ length: 10 }, (_, n) => `{"n":${n}}`),
  );
});

test('a record larger than a file may be has one of its own, and no empty file is put aside for it', async (t) => {
  const { path, open } = await setUp(t, { rotate: { bytes: 5 } });
  const sink = open();
  for (const n of [1, 2]) assert.equal((await sink.deliver(delivery(`{"n":${n}}`), never)).kind, 'delivered');
  await sink.close();
  const files = await readdir(join(path, '..'));
  const contents = await Promise.all(files.map(async (file) => readFile(join(path, '..', file), 'utf8')));
  assert.deepEqual(contents.toSorted(), ['{"n":1}\n', '{"n":2}\n']);
});

test('rotation by age puts a file aside when its time has come, written to or not, and never an empty one', async (t) => {
  const { path } = await setUp(t);
  const files = async () => (await readdir(join(path, '..'))).filter((name) => !name.endsWith('.lock')).toSorted();
  const texts = async () => Promise.all((await files()).map(async (name) => readFile(join(path, '..', name), 'utf8')));
  /** What a wake-up sets off goes through the disk. */
  const untilPutAside = async () => {
    const endMs = performance.now() + 60_000;
    while ((await files()).includes('records.ndjson')) {
      assert.ok(performance.now() < endMs, 'the file was not put aside');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const asleep = async (clock: ManualClock) => {
    while (clock.sleeping < 2) await new Promise((resolve) => setImmediate(resolve));
  };
  const clock = new ManualClock();
  const sink = oneByOne(createFileSink({ path, rotate: { ageMs: 60_000 } }, clock));
  t.after(() => sink.close());
  await sink.deliver(delivery('{"n":1}'), never);
  await asleep(clock);
  await clock.advance(59_999);
  await sink.deliver(delivery('{"n":2}'), never);
  assert.deepEqual(await files(), ['records.ndjson']);
  await clock.advance(1);
  await untilPutAside();
  await sink.deliver(delivery('{"n":3}'), never);
  assert.deepEqual(await texts(), ['{"n":3}\n', '{"n":1}\n{"n":2}\n']);
  assert.match((await files())[1]!, /^records\.ndjson\.20260101T000100\.000Z$/);
  await sink.close();
  // Begun by an earlier process: its age counts from its making, not from now on.
  const later = new ManualClock(Date.now() + 45_000);
  const next = oneByOne(createFileSink({ path, rotate: { ageMs: 60_000 } }, later));
  t.after(() => next.close());
  await next.deliver(delivery('{"n":4}'), never);
  await asleep(later);
  await later.advance(15_000);
  await untilPutAside();
  await next.close();
  assert.deepEqual((await texts()).toSorted(), ['{"n":1}\n{"n":2}\n', '{"n":3}\n{"n":4}\n']);
});

test('each batch is synced before it is delivered; with `never` none is', async (t) => {
  for (const [sync, expected] of [
    ['batch', 2],
    ['never', 0],
  ] as const) {
    const { path, open, content } = await setUp(t, { sync });
    const sink = open();
    await sink.deliver(delivery('{"n":0}'), never);
    await using some = await openFile(path);
    const handles = Object.getPrototypeOf(some) as { datasync: () => Promise<void> };
    const datasync = t.mock.method(handles, 'datasync');
    await sink.deliver(delivery('{"n":1}'), never);
    await sink.deliver(delivery('{"n":2}'), never);
    assert.equal(datasync.mock.callCount(), expected, sync);
    datasync.mock.restore();
    assert.equal(await content(), '{"n":0}\n{"n":1}\n{"n":2}\n');
  }
});

test(
  'a full disk is a retry, leaves nothing of the failed batch, and writing goes on when there is room',
  { skip: process.platform !== 'linux' },
  async (t) => {
    // ulimit -f makes the kernel refuse what goes past 8 KiB, as a full disk would; the child reports each outcome.
    const { path, content } = await setUp(t);
    const script = `
    process.on('SIGXFSZ', () => {});
    const { createFileSink } = await import(${JSON.stringify(new URL('./file-sink.ts', import.meta.url).href)});
    const sink = createFileSink({ path: ${JSON.stringify(path)} });
    const send = (...bodies) => sink.deliver(bodies.map((body) => ({ body: Buffer.from(body) })), new AbortController().signal);
    const big = JSON.stringify({ big: 'x'.repeat(6000) });
    console.log(JSON.stringify([...(await send(big)), ...(await send('{"n":2}', big)), ...(await send('{"n":1}'))]));
    await sink.close();`;
    const child = spawn('bash', ['-c', `ulimit -f 8; exec "$0" --input-type=module -e "$1"`, process.execPath, script]);
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    await once(child, 'close');
    assert.notEqual(output, '', errors);
    const full = {
      kind: 'retry',
      failure: { cause: 'disk-full', reason: 'the file has reached the largest size allowed' },
    };
    assert.deepEqual(JSON.parse(output), [{ kind: 'delivered' }, full, full, { kind: 'delivered' }]);
    const lines = (await content()).split('\n');
    assert.equal(lines.length, 3);
    assert.equal(lines[1], '{"n":1}');
  },
);

test('an abort rejects with its reason and does not stop the others', async (t) => {
  const { open, content } = await setUp(t);
  const sink = open();
  const abort = new AbortController();
  const gone = sink.deliver(delivery('{"n":1}'), abort.signal);
  const kept = sink.deliver(delivery('{"n":2}'), never);
  abort.abort(new Error('stop'));
  await assert.rejects(gone, /stop/);
  assert.equal((await kept).kind, 'delivered');
  assert.match(await content(), /\{"n":2\}\n$/);
});

test('one write at a time: what is taken back of a batch that failed is nothing of those handed over with it', async (t) => {
  const { path, open, content } = await setUp(t);
  const sink = open();
  await sink.deliver(delivery('{"n":0}'), never);
  await using some = await openFile(path);
  type Write = (this: unknown, bytes: Buffer, from: number) => Promise<unknown>;
  const handles = Object.getPrototypeOf(some) as { write: Write };
  const real = handles.write;
  t.mock.method(handles, 'write', async function (this: unknown, bytes: Buffer, from: number) {
    await new Promise((resolve) => setImmediate(resolve));
    const written = await real.call(this, bytes, from);
    if (bytes.includes('2')) throw Object.assign(new Error('the disk'), { code: 'EIO' });
    return written;
  });
  const outcomes = await Promise.all([1, 2, 3].map(async (n) => sink.deliver(delivery(`{"n":${n}}`), never)));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['delivered', 'retry', 'delivered'],
  );
  assert.equal(await content(), '{"n":0}\n{"n":1}\n{"n":3}\n');
});

test('what was handed over is written before a close resolves, unless it was given up; the file is let go', async (t) => {
  const { path, open, content } = await setUp(t);
  const sink = open();
  const stop = new AbortController();
  const first = sink.deliver(delivery('{"n":1}'), never);
  const givenUp = sink.deliver(delivery('{"n":2}'), stop.signal);
  const last = sink.deliver(delivery('{"n":3}'), never);
  stop.abort(new Error('stop'));
  const late = sink.deliver(delivery('{"n":4}'), stop.signal);
  await Promise.all([assert.rejects(givenUp, /stop/), assert.rejects(late, /stop/), sink.close()]);
  assert.equal(await content(), '{"n":1}\n{"n":3}\n');
  assert.deepEqual([(await first).kind, (await last).kind], ['delivered', 'delivered']);
  assert.deepEqual(await readdir(join(path, '..')), ['records.ndjson']);
  await assert.rejects(createFileSink({ path }).check(stop.signal), /stop/);
  if (process.platform !== 'linux') return;
  const descriptors = await readdir('/proc/self/fd');
  const held = await Promise.all(descriptors.map(async (fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  assert.ok(!held.some((name) => name.startsWith(join(path, '..'))));
});

test('killed while writing, again and again: every acknowledged record is there, whole', async (t) => {
  const { path, open, content } = await setUp(t);
  const script = `
    const { createFileSink } = await import(${JSON.stringify(new URL('./file-sink.ts', import.meta.url).href)});
    const sink = createFileSink({ path: ${JSON.stringify(path)} });
    const signal = new AbortController().signal;
    for (let n = Number(process.argv[1]); ; n += 1) {
      const body = Buffer.from(JSON.stringify({ n, pad: 'x'.repeat(20000) }));
      const [{ kind }] = await sink.deliver([{ body }], signal);
      if (kind === 'delivered') process.stdout.write(n + '\\n');
    }`;
  const acknowledged: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, String(round * 1_000_000)]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split('\n').length > 20 + round) child.kill('SIGKILL');
    });
    await once(child, 'close');
    acknowledged.push(...output.split('\n').slice(0, -1).map(Number));
    // Else the next one would watch it for 30 s.
    await rm(`${path}.lock`, { force: true });
  }
  await appendFile(path, '{"n":');
  await open().deliver(delivery('{"n":-1}'), never);
  const lines = (await content())
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { n: number }).n);
  const there = new Set(lines);
  assert.ok(acknowledged.length >= 80);
  assert.ok(acknowledged.every((n) => there.has(n)));
});
