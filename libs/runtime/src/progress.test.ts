import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { formatAmount } from './amounts.ts';
import { createProgress } from './progress.ts';

function collect(stream: PassThrough): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  return () => text;
}

test('off a terminal: a line for a task at most every few seconds, and one at its end', async () => {
  const stream = new PassThrough();
  const output = collect(stream);
  const clock = new ManualClock();
  using progress = createProgress({ stream, isTTY: false, clock, everyMs: 5000 });
  const download = progress.task('download', { total: 780_000_000, unit: 'bytes' });
  const publish = progress.task('publish', { unit: 'records' });
  for (let second = 0; second < 10; second += 1) {
    await clock.advance(1000);
    for (let piece = 0; piece < 100; piece += 1) download.advance(780_000);
    publish.advance(1000);
  }
  publish.total(10_000);
  publish.done();
  publish.done();
  progress.log.write('a log line\n');
  download.advance(1);
  assert.deepEqual(output().split('\n'), [
    'download: 313 MB of 780 MB (40 %), 62.6 MB/s',
    'publish: 5,000 records, 1,000 records/s',
    'download: 703 MB of 780 MB (90 %), 70.3 MB/s',
    'publish: 10,000 records, 1,000 records/s',
    'publish: 10,000 records of 10,000 records (100 %), 1,000 records/s, done',
    'a log line',
    '',
  ]);
});

test('what was begun and not done shows its last figure when all is disposed of, once', async () => {
  const stream = new PassThrough();
  const output = collect(stream);
  const clock = new ManualClock();
  const progress = createProgress({ stream, isTTY: false, clock });
  const task = progress.task('download', { unit: 'bytes' });
  await clock.advance(2000);
  task.advance(10);
  task.reset(4);
  progress[Symbol.dispose]();
  progress[Symbol.dispose]();
  task.done();
  assert.equal(output(), 'download: 4 B, 2 B/s, done\n');
});

test('on a terminal: a bar for each task, the last figures stay, log lines go above, no timer or signal handler is left', async () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
  const output = collect(stream);
  const clock = new ManualClock();
  const handlers = process.listenerCount('SIGINT');
  {
    using progress = createProgress({ stream, clock });
    const download = progress.task('download', { total: 100, unit: 'records' });
    const other = progress.task('other', { unit: 'bytes' });
    assert.equal(process.listenerCount('SIGINT'), handlers);
    await clock.advance(1000);
    download.advance(50);
    progress.log.write('something happened\n');
    download.advance(50);
    download.done();
    other.advance(2048);
    other.done();
  }
  assert.match(output(), /something happened\n/);

  const last = output()
    .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .trimEnd()
    .split('\n')
    .slice(-2);
  assert.match(last[0]!, /download +█{24} 100 records of 100 records \(100 %\), 100 records\/s$/);
  assert.match(last[1]!, /other +█{24} 2\.0 kB of 2\.0 kB \(100 %\), 2\.0 kB\/s$/);
});

test('amounts are short and never round to the next unit wrongly', () => {
  assert.deepEqual(
    [0, 999, 1000, 99_940, 99_960, 999_499, 999_600, 7.8e9, 5e15].map((bytes) => formatAmount(bytes, 'bytes')),
    ['0 B', '999 B', '1.0 kB', '99.9 kB', '100 kB', '999 kB', '1.0 MB', '7.8 GB', '5000 TB'],
  );
  assert.equal(formatAmount(20_000.4, 'records'), '20,000 records');
});
