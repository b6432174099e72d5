import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { RuntimeError } from '@genesys-kafka/runtime/cli';
import { durationArgument, instantArgument, queryArgument } from './arguments.ts';

let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'arguments-'));
});

after(async () => {
  await rm(dir, { recursive: true });
});

/** A usage error with a stable code that names the option and what was written. */
function refused(option: string, pattern: RegExp) {
  return (error: unknown) =>
    error instanceof RuntimeError &&
    error.code === 'bad-argument' &&
    error.scope === 'usage' &&
    error.message.startsWith(`${option} `) &&
    pattern.test(error.message);
}

test('a day is its midnight in UTC, an instant names its zone', () => {
  assert.equal(instantArgument('--from', '2026-01-31').toISOString(), '2026-01-31T00:00:00.000Z');
  assert.equal(instantArgument('--from', '2026-01-31T08:00:00+02:00').toISOString(), '2026-01-31T06:00:00.000Z');
  assert.equal(instantArgument('--from', '2024-02-29').toISOString(), '2024-02-29T00:00:00.000Z');
});

for (const text of [
  '',
  '2026-02-31',
  '2025-02-29',
  '2026-13-01',
  '2026-01-31T08:00:00',
  '31.1.2026',
  'yesterday',
  '0',
]) {
  test(`${JSON.stringify(text)} is no moment`, () => {
    assert.throws(() => instantArgument('--to', text), refused('--to', /write 2026-01-31/));
  });
}

test('a window is at least a minute, and has a unit', () => {
  assert.equal(durationArgument('--window', '1h30m'), 5_400_000);
  assert.equal(durationArgument('--window', '60s'), 60_000);
  for (const text of ['59s', '1', 'day', '-1h', '1.5h', '']) {
    assert.throws(() => durationArgument('--window', text), refused('--window', /at least a minute/), text);
  }
});

test('a query is a JSON object without what the program fills in', async () => {
  const write = async (name: string, content: string) => {
    const file = join(dir, name);
    await writeFile(file, content);
    return file;
  };
  const good = await write('good.json', '{"segmentFilters":[]}');
  assert.deepEqual(queryArgument('--query', good), { segmentFilters: [] });
  const bad: [string, RegExp][] = [
    [join(dir, 'missing.json'), /cannot be read \(ENOENT\)/],
    [dir, /cannot be read \(EISDIR\)/],
    [await write('text.json', 'hello'), /is not JSON/],
    [await write('list.json', '[]'), /is not a JSON object/],
    [await write('null.json', 'null'), /is not a JSON object/],
    [await write('interval.json', '{"interval":"a/b","paging":{}}'), /holds interval, paging/],
    [await write('dates.json', '{"dateFrom":"a"}'), /holds dateFrom/],
    [await write('size.json', '{"size":"20000"}'), /size that is no whole number/],
    [await write('no-size.json', '{"size":0}'), /size that is no whole number/],
  ];
  for (const [file, pattern] of bad) assert.throws(() => queryArgument('--query', file), refused('--query', pattern));
});
