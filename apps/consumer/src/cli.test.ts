import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { isOneShot } from './cli.ts';
import type { RoutePlan } from './route-plan.ts';
import { groupSettings, rate, runOptions } from './run-options.ts';
import { testRules } from './test-rules.ts';
import { compileRule } from '@genesys-kafka/routing';

test('only run ends normally on a signal, wherever the options stand', () => {
  assert.equal(isOneShot(['--config', 'run', '--json', 'run', '--drain']), false);
  assert.equal(isOneShot(['run']), false);
  assert.equal(isOneShot(['--config', 'run', 'check']), true);
  assert.equal(isOneShot(['dead-letters', 'list', '--route', 'run']), true);
});

test('limits have units and ranges', () => {
  const parse = (name: string, text: string): unknown =>
    runOptions().find(({ long }) => long === name)!.parseArg!(text, undefined);
  assert.equal(parse('--in-flight-bytes', '512KiB'), 524_288);
  assert.equal(parse('--stop-grace', '1m'), 60_000);
  assert.equal(rate('20/s'), 20);
  for (const [name, text] of [
    ['--stop-grace', '20'],
    ['--stop-grace', '2h'],
    ['--in-flight-records', '0'],
    ['--in-flight-bytes', 'many'],
  ] as const) {
    assert.throws(() => parse(name, text), InvalidArgumentError, `${name} ${text}`);
  }
  assert.throws(() => rate('20'), InvalidArgumentError);
  const defaults = Object.fromEntries(runOptions().map((one) => [one.attributeName(), one.defaultValue as number]));
  assert.equal(groupSettings(defaults as never).stopGraceMs, 25_000);
});

test('test FILE: each record with the routes that take it, from an array, conversations, or one a line', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rules-'));
  const file = join(directory, 'records');
  const plan = (name: string, when: string) => ({ name, rule: compileRule(when, name) }) as RoutePlan;
  const plans = [plan('one', 'record.n == 1.0'), plan('bad', 'record.n > "a"')];
  try {
    for (const text of ['[{"n":1},{"m":2}]', '{"conversations":[{"n":1},{"m":2}]}', '{"n":1}\n{"m":2}\n']) {
      await writeFile(file, text);
      const results = await testRules(file, plans);
      assert.deepEqual(
        results.map(({ routes, errors }) => [routes, Object.keys(errors)]),
        [
          [['one'], ['bad']],
          [['unrouted'], []],
        ],
      );
    }
    await writeFile(file, '{"n":1}\n{"n":');
    await assert.rejects(testRules(file, plans), /no JSON object as record 1/);
    await assert.rejects(testRules(`${file}.no`, plans), /ENOENT/);
  } finally {
    await rm(directory, { recursive: true });
  }
});
