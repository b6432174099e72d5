import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { followLevelSignal } from './log-level-signal.ts';
import { createLogger } from './logger.ts';

test('SIGUSR2 turns debug on, and off again', async () => {
  // The test runner has its processes write a report at this signal.
  process.report.reportOnSignal = false;
  const destination = new PassThrough();
  const log = createLogger({ name: 'test', level: 'info', destination });
  using _following = followLevelSignal(log);
  const signalled = async () => {
    const told = new Promise((resolve) => process.once('SIGUSR2', resolve));
    process.kill(process.pid, 'SIGUSR2');
    await told;
    log.debug('detail');
    return log.level;
  };
  assert.equal(await signalled(), 'debug');
  assert.equal(await signalled(), 'info');
  const messages = String(destination.read())
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
  assert.deepEqual(messages, ['log level changed by SIGUSR2', 'detail', 'log level changed by SIGUSR2']);
});
