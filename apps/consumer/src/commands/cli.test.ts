import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '@genesys-kafka/runtime';
import { InvalidArgumentError } from 'commander';
import { isOneShot } from './cli.ts';
import { givenSettings, groupSettings, rate, runOptions } from './run-options.ts';

test('only run ends normally on a signal, wherever the options stand', () => {
  assert.equal(isOneShot(['--config', 'run', '--json', 'run', '--drain']), false);
  assert.equal(isOneShot(['run']), false);
  assert.equal(isOneShot(['--config', 'run', 'check']), true);
  assert.equal(isOneShot(['dead-letters', 'list', '--route', 'run']), true);
});

test('run: each setting of the section consumer is a flag, checked as in the file, and the flag wins', () => {
  const names = runOptions().map(({ long }) => long);
  assert.deepEqual(names.slice(0, 2), ['--in-flight-records', '--in-flight-bytes']);
  const load = (flags: object) => loadSettings({ env: {}, flags: givenSettings(flags) });
  const settings = load({ inFlightRecords: '7', inFlightBytes: '512KiB', stopGrace: '1m', drain: true });
  assert.deepEqual(groupSettings(settings), {
    limits: { maxRecords: 7, maxBytes: 524_288 },
    commitEveryMs: 1000,
    commitRecords: 1000,
    revokeGraceMs: 10_000,
    stopGraceMs: 60_000,
  });
  for (const [name, text, problem] of [
    ['stopGrace', '20', /consumer\.stopGrace \(--stop-grace\): is not a duration/],
    ['stopGrace', '2h', /is too long; the most is 600s/],
    ['inFlightRecords', '0', /\(--in-flight-records\): is too small/],
    ['inFlightBytes', 'many', /is not a size/],
  ] as const) {
    assert.throws(() => load({ [name]: text }), problem);
  }
});

test('a rate is a whole number a second', () => {
  assert.equal(rate('20/s'), 20);
  assert.throws(() => rate('20'), InvalidArgumentError);
});
