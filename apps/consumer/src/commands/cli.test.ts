import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings, runProgram } from '@genesys-kafka/runtime/cli';
import { InvalidArgumentError } from 'commander';
import { SETTINGS } from '../settings.ts';
import { buildProgram } from './cli.ts';
import { flowLimits, groupSettings, rate, runOptions } from './run-options.ts';

test('run: each setting of the section consumer is a flag', () => {
  const names = runOptions().map(({ long }) => long);
  assert.deepEqual(names.slice(0, 2), ['--in-flight-records', '--in-flight-bytes']);
  assert.deepEqual(names.slice(-3), ['--drain', '--accept-gap', '--accept-rules']);
  const settings = loadSettings(SETTINGS, { env: {} });
  assert.deepEqual(flowLimits(settings), { maxRecords: 500, maxBytes: 1_048_576 });
  assert.deepEqual(groupSettings(settings), {
    commitEveryMs: 1000,
    commitRecords: 1000,
    revokeGraceMs: 10_000,
    stopGraceMs: 25_000,
    lastCommitMs: 10_000,
  });
});

test('run: what a flag gives is checked as in the file, and only run ends normally on a signal', async () => {
  let untilStopped = 0;
  const context = { signal: new AbortController().signal, runsUntilStopped: () => void (untilStopped += 1) };
  const run = (...args: readonly string[]) =>
    runProgram(buildProgram, {
      argv: ['node', 'consumer', ...args],
      context,
      definition: SETTINGS,
      readSettings: (given) => loadSettings(SETTINGS, { env: {}, ...given }),
    });
  for (const [flag, text, problem] of [
    ['--stop-grace', '20', /consumer\.stopGrace \(--stop-grace\): is not a duration/],
    ['--stop-grace', '2h', /is too long; the most is 600s/],
    ['--in-flight-records', '0', /\(--in-flight-records\): is too small/],
    ['--in-flight-bytes', 'many', /is not a size/],
  ] as const) {
    await assert.rejects(run('run', flag, text), problem);
  }
  assert.equal(untilStopped, 4);
  await assert.rejects(run('run', '--in-flight-records', '7'), {
    code: 'bad-config',
    scope: 'usage',
    message: /^routes: is needed by this command and not set/,
  });
  await assert.rejects(run('dead-letters', 'list', '--route', 'run'), /kafka\.brokers: is needed/);
  assert.equal(untilStopped, 5);
});

test('the help of the program fits one screen', () => {
  let help = '';
  buildProgram()
    .configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 })
    .outputHelp();
  assert.ok(help.split('\n').length <= 25, help);
});

test('a rate is a whole number a second', () => {
  assert.equal(rate('20/s'), 20);
  assert.throws(() => rate('20'), InvalidArgumentError);
});
