import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { measure } from './measure.ts';

const isLinux = process.platform === 'linux';
const run = (script: string, signal?: AbortSignal) =>
  measure((options) => spawn(process.execPath, ['-e', script], options), { WORD: 'hello' }, signal ? { signal } : {});
/** By its CPU time: a busy machine gives less of it than of wall time. */
const burning = (ms: number) =>
  `{ const end = process.cpuUsage().user + ${ms * 1000}; while (process.cpuUsage().user < end) for (let n = 0; n < 1e6; n += 1); }`;

test('a program’s output, its time, its memory, and the CPU time of it and of what it waited for', async () => {
  const burn = burning(400);
  const measured = await run(`
    const held = Buffer.alloc(150e6, 1);
    require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(burn)}]);
    ${burn}
    process.stdout.write(process.env.WORD + held.length);
  `);
  assert.equal(measured.stdout, 'hello150000000');
  assert.ok(measured.seconds > 0.8, `${measured.seconds} s`);
  if (!isLinux) return;
  assert.ok(measured.peakBytes > 150e6, `${measured.peakBytes} bytes`);
  assert.ok(measured.cpuSeconds > 0.7 && measured.cpuSeconds < 3 * measured.seconds, `${measured.cpuSeconds} s of CPU`);
});

test('the CPU time of one run is not the next one’s', async () => {
  await run(burning(1500));
  const { cpuSeconds } = await run('');
  assert.ok(cpuSeconds < 1, `${cpuSeconds} s of CPU`);
});

test('a program that fails rejects with what it wrote', async () => {
  await assert.rejects(run('console.error("no such topic"); process.exit(3)'), /ended with 3: no such topic/);
});

test('an abort ends the program first, and rejects with its reason', async () => {
  const aborting = new AbortController();
  let child: ReturnType<typeof spawn> | undefined;
  const measuring = measure(
    (options) => (child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], options)),
    {},
    { signal: aborting.signal },
  );
  await once(child!, 'spawn');
  aborting.abort(new Error('enough'));
  await assert.rejects(measuring, /enough/);
  assert.equal(child!.signalCode, 'SIGTERM');
});
