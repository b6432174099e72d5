import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test, type TestContext } from 'node:test';
import { compileRule, type RoutePlan } from '@genesys-kafka/routing';
import { testRules } from './test-rules.ts';

const MAIN = join(import.meta.dirname, '../main.ts');
/** Enough for the program itself; the values of the file below do not fit. */
const MAX_HEAP = '--max-old-space-size=96';
const BIG_BYTES = 45_000_000;

const plan = (name: string, when: string) => ({ name, rule: compileRule(when, name) }) as RoutePlan;

async function scratch(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rules-'));
  context.after(() => rm(directory, { recursive: true }));
  return join(directory, 'records');
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function consumer(args: readonly string[], stopAfterFirst = false): Promise<Ended> {
  const child = spawn(process.execPath, [MAX_HEAP, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  if (stopAfterFirst) child.stdout.once('data', () => child.stdout.destroy());
  const stdout = stopAfterFirst ? '' : text(child.stdout);
  return { stdout: await stdout, stderr: await text(child.stderr), status: await closed };
}

test('each record with the routes that take it, from an array, conversations, or one a line', async (context) => {
  const file = await scratch(context);
  const plans = [plan('one', 'record.n == 1.0'), plan('bad', 'record.n > "a"')];
  for (const content of ['[{"n":1},{"m":2}]', '{"conversations":[{"n":1},{"m":2}]}', '{"n":1}\n{"m":2}\n']) {
    await writeFile(file, content);
    const results = await Array.fromAsync(testRules(file, plans));
    assert.deepEqual(
      results.map(({ ordinal, routes, errors }) => [ordinal, routes, Object.keys(errors)]),
      [
        [0, ['one'], ['bad']],
        [1, ['unrouted'], []],
      ],
    );
  }
});

test('a file that cannot be used is told with the place, after what came before it', async (context) => {
  const file = await scratch(context);
  for (const [content, before, message] of [
    ['{"n":1}\n{"n":', 1, /records: The JSON breaks in record 1: line 2, column 6: .* Records tested before it: 1\.$/],
    ['[{"n":1},[2]]', 1, /records holds no JSON object as record 1\./],
    ['"text"', 0, /holds no JSON object as record 0\./],
  ] as const) {
    await writeFile(file, content);
    let tested = 0;
    const testing = async () => {
      for await (const { ordinal } of testRules(file, [])) assert.equal(ordinal, tested++);
    };
    await assert.rejects(testing(), { code: 'test-file-unusable', scope: 'usage', message });
    assert.equal(tested, before);
  }
  await assert.rejects(Array.fromAsync(testRules(`${file}.no`, [])), /no: The file cannot be read \(ENOENT\)/);
});

test('a file larger than the memory is tested, and a reader that goes away is no error', async (context) => {
  const file = await scratch(context);
  const sessions = Array.from({ length: 500 }, (_, n) => ({ n, mediaType: 'voice' }));
  const record = (n: number) => JSON.stringify({ conversationId: `c-${n}`, sessions });
  const length = Math.ceil(BIG_BYTES / record(0).length);
  const pieces = function* () {
    for (let n = 0; n < length; n += 1) yield `${n === 0 ? '{"totalHits":1,"conversations":[' : ','}${record(n)}`;
    yield '],"cursor":"c"}';
  };
  await pipeline(Readable.from(pieces()), createWriteStream(file));
  const { status, stdout } = await consumer(['--json', 'test', file]);
  const { records } = JSON.parse(stdout) as { records: { conversationId: string }[] };
  assert.deepEqual([status, records.length, records.at(-1)!.conversationId], [0, length, `c-${length - 1}`]);
  const left = await consumer(['test', file], true);
  assert.deepEqual([left.status, left.stderr], [0, '']);
});

test('on a fault the command ends with 2 and no whole document; what a record says cannot steer a terminal', async (context) => {
  const file = await scratch(context);
  await writeFile(file, '{"conversationId":"a\\u001b[31m\\u009d52;c;QQ\\u009c"}\n{');
  const lines = await consumer(['test', file]);
  assert.equal(lines.status, 2);
  assert.equal(lines.stdout, '0 a\\u001b[31m\\u009d52;c;QQ\\u009c: unrouted\n');
  assert.match(lines.stderr, /^error: test-file-unusable: .*record 1: line 2, column 2/);
  const json = await consumer(['--json', 'test', file]);
  assert.equal(json.status, 2);
  assert.match(json.stdout, /"a\\u001b\[31m\\u009d52;c;QQ\\u009c"/);
  assert.throws(() => JSON.parse(json.stdout) as unknown, SyntaxError);
  const missing = await consumer(['--json', 'test', `${file}.no`]);
  assert.deepEqual([missing.status, missing.stdout], [2, '']);
});
