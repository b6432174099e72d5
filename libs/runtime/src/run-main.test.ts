import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const fixture = fileURLToPath(new URL('../fixtures/main-under-test.ts', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the fixture; `onStderr` is called with the process at each new piece of its stderr. */
async function run(
  args: readonly string[],
  react: (stderr: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    react(stderr, (signal) => child.kill(signal));
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

/** Sends each signal once, when its word appears on stderr. */
const when = (...steps: readonly (readonly [word: string, signal: NodeJS.Signals])[]) => {
  const left = [...steps];
  return (stderr: string, kill: (signal: NodeJS.Signals) => void) => {
    while (left[0] && stderr.includes(left[0][0])) kill(left.shift()![1]);
  };
};

test('statuses: what main returns, and 2, 1, 3 for errors by their scope, told plainly and without secrets', async () => {
  const [three, usage, failed, source] = await Promise.all(
    ['status-3', 'usage', 'run', 'source'].map((what) => run([what])),
  );
  assert.deepEqual(three, { status: 3, stdout: '', stderr: '' });
  assert.equal(usage!.status, 2);
  assert.equal(usage!.stderr, 'error: bad-thing: The thing is bad. Use [redacted] no more.\n');
  assert.equal(failed!.status, 1);
  assert.equal(
    failed!.stderr,
    'error: broker-away: No broker answers. Start one.\n  caused by: ECONNREFUSED: connect refused at https://h/x?[redacted]\n',
  );
  assert.equal(source!.status, 3);
});

test('a bug and an unhandled rejection end with 1, a plain sentence and a stack without secrets', async () => {
  const bugs = ['bug', 'rejection', 'uncaught', 'deadlock'];
  for (const { status, stderr } of await Promise.all(bugs.map((what) => run([what])))) {
    assert.equal(status, 1);
    assert.match(stderr, /^error: unexpected: this is a bug, please report it/);
    assert.match(stderr, /\n {4}at /);
    assert.doesNotMatch(stderr, /canary/);
  }
});

test('what is no error is told too, and of causes each once, whatever they are and lead to', async () => {
  const [text, causes] = await Promise.all([run(['text']), run(['causes'])]);
  assert.deepEqual([text.status, text.stderr], [1, 'error: unexpected: a text of [redacted]\n']);
  assert.deepEqual(causes.stderr.split('\n'), [
    'error: broker-away: again: No broker answers.',
    '  caused by: RangeError',
    '  caused by: of https://[redacted]@h/x',
    '',
  ]);
});

test('a one-shot command cut short by a signal closes, then ends with 130 or 143 and no error', async () => {
  const [int, term] = await Promise.all([
    run(['wait'], when(['ready', 'SIGINT'])),
    run(['wait'], when(['ready', 'SIGTERM'])),
  ]);
  assert.deepEqual(int, { status: 130, stdout: '', stderr: 'ready\nclosed\n' });
  assert.deepEqual(term, { status: 143, stdout: '', stderr: 'ready\nclosed\n' });
});

test('for a command that runs until it is stopped the signal is a normal end: 0, thrown or returned', async () => {
  for (const what of ['wait', 'wait-and-return']) {
    assert.equal((await run([what, 'false'], when(['ready', 'SIGTERM']))).status, 0);
  }
  assert.equal((await run(['wait-and-return', 'true'], when(['ready', 'SIGTERM']))).status, 143);
});

test('an error of the closing itself is told and wins over the signal', async () => {
  const { status, stderr } = await run(['fails-while-closing', 'false'], when(['ready', 'SIGTERM']));
  assert.equal(status, 1);
  assert.match(stderr, /error: left-open/);
});

test('the same signal once more, as npm hands it on, leaves the closing its time', async () => {
  const { status, stderr } = await run(['closes-slowly'], when(['ready', 'SIGINT'], ['closing', 'SIGINT']));
  assert.deepEqual([status, stderr], [130, 'ready\nclosing\nclosed\n']);
});

test('a second signal ends at once what does not close', async () => {
  const { status } = await run(['hangs'], when(['ready', 'SIGTERM'], ['closing', 'SIGINT']));
  assert.equal(status, 130);
});

test('all of stdout arrives before the process ends, and open handles do not hold it up', async () => {
  const much = await run(['much-json']);
  assert.equal(much.status, 0);
  assert.equal((JSON.parse(much.stdout) as { text: string }).text.length, 3_000_000);
  assert.ok(much.stdout.endsWith('}\n'));
  assert.deepEqual(await run(['open-handles']), { status: 0, stdout: '{"done":true}\n', stderr: '' });
});

test(
  'a full disk behind stdout is told as such, and not as a bug',
  { skip: process.platform !== 'linux' },
  async () => {
    for (const what of ['much-json', 'pieces']) {
      const full = await open('/dev/full', 'w');
      const child = spawn(process.execPath, [fixture, what], { stdio: ['ignore', full.fd, 'pipe'] });
      let stderr = '';
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const [status] = (await once(child, 'close')) as [number | null];
      await full.close();
      assert.equal(status, 1);
      assert.match(stderr, /^error: output-failed: stdout cannot be written \(ENOSPC\)/);
    }
  },
);

test('a reader that went away is no error', async () => {
  for (const what of ['much-json', 'pieces']) await endsQuietly(what);
});

async function endsQuietly(what: string): Promise<void> {
  const child = spawn(process.execPath, [fixture, what], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [status] = (await once(child, 'close')) as [number | null];
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
}

test('what comes from outside forges no line, neither among what is printed nor among what is told', async () => {
  const { stdout, stderr } = await run(['many-lines']);
  assert.equal(stdout, 'one\\nerror: forged: x\\u001b[2J\ntwo\n');
  assert.equal(stderr, 'error: odd-name: The file a\n  error: forged: y\\r\n  is odd.\n');
});

test(
  'a disk that is full behind stdout does not look like success',
  { skip: process.platform !== 'linux' },
  async () => {
    for (const what of ['prints', 'much-json']) {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [fixture, what], { stdio: ['ignore', full, 'pipe'] });
      closeSync(full);
      let stderr = '';
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      const [status] = (await once(child, 'close')) as [number | null];
      assert.equal(status, 1, what);
      assert.match(stderr, /ENOSPC/, what);
    }
  },
);
