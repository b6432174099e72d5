import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

const MAIN = join(import.meta.dirname, 'main.ts');
const GOOD = `test('good', () => undefined);`;
const BAD = `test('bad', () => { throw new Error('because'); });`;
/** Fails where it has not been run before; what it leaves open does not keep its process. */
const ONCE = `
  setInterval(() => undefined, 1000);
  test('once', () => {
    const wasRun = existsSync('ran');
    writeFileSync('ran', '');
    if (!wasRun) throw new Error('because');
  });`;

/** Runs files of these names and texts; resolves with the status, and with all that was said. */
async function ran(t: TestContext, texts: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), 'integration-'));
  t.after(async () => rm(dir, { recursive: true }));
  const imports = `import { existsSync, writeFileSync } from 'node:fs'; import { test } from 'node:test';`;
  for (const [name, text] of Object.entries(texts)) await writeFile(join(dir, `${name}.mjs`), `${imports}\n${text}`);
  // A runner of tests that is started by one runs nothing.
  const { NODE_TEST_CONTEXT: _, GENESYS_KAFKA_AGAIN: __, ...inherited } = process.env;
  return new Promise<{ readonly status: unknown; readonly output: string }>((resolve) => {
    const options = { cwd: dir, env: { ...inherited, ...env } };
    execFile(process.execPath, [MAIN, '*.mjs'], options, (error, stdout, stderr) => {
      resolve({ status: error ? error.code : 0, output: stdout + stderr });
    });
  });
}

const AGAIN = { GENESYS_KAFKA_AGAIN: 'true' };

test('all pass: 0, and it is reported', async (t) => {
  const { status, output } = await ran(t, { good: GOOD, other: GOOD }, AGAIN);
  assert.equal(status, 0, output);
  assert.match(output, /✔ good[^]*✔ good/);
  assert.doesNotMatch(output, /flaky/);
});

test('what fails once has failed; only where a second run is asked for it is flaky, and told', async (t) => {
  const strict = await ran(t, { good: GOOD, once: ONCE }, {});
  assert.equal(strict.status, 1, strict.output);
  const lenient = await ran(t, { good: GOOD, once: ONCE }, AGAIN);
  assert.equal(lenient.status, 0, lenient.output);
  assert.match(lenient.output, /✖ once[^]*because[^]*flaky: once\.mjs:\d+ once/);
  assert.equal(lenient.output.match(/✔ good/g)?.length, 1, 'files that passed are not run again');
});

test('what fails twice has failed, and so has a file that cannot be loaded', async (t) => {
  for (const text of [BAD, 'throw new Error();']) {
    const { status, output } = await ran(t, { bad: text, once: ONCE }, AGAIN);
    assert.equal(status, 1, output);
    assert.match(output, /flaky: once\.mjs:\d+ once/);
    assert.doesNotMatch(output, /flaky: bad/);
  }
});

test('more than three failed tests are not tried again', async (t) => {
  const { status, output } = await ran(t, { once: ONCE, bad: `${BAD}\n`.repeat(3) }, AGAIN);
  assert.equal(status, 1, output);
  assert.doesNotMatch(output, /flaky/);
});
