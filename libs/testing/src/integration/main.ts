/**
 * `node …/main.ts [--concurrency FILES] [pattern …]` runs a project's integration tests, each file in a process that
 * ends with its last test. With `GENESYS_KAFKA_AGAIN=true` the files of up to three failed tests are run
 * once more, alone, and what then passes is told as flaky (docs/decisions, 46).
 */
import { globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

/** So many failed tests of a project may be flaky; more are a fault, whatever a second run says. */
const MOST_AGAIN = 3;
/** Of one test. */
const TIMEOUT_MS = 600_000;

const { values, positionals } = parseArgs({
  options: { concurrency: { type: 'string', default: '1' } },
  allowPositionals: true,
});

process.exitCode = await main(positionals.length === 0 ? ['src/**/*.integration.ts'] : positionals);

async function main(patterns: readonly string[]): Promise<number> {
  const files = globSync(patterns).sort();
  if (files.length === 0) throw new Error(`No file is like ${patterns.join(' or ')}.`);
  const failed = await runFiles(files, Number(values.concurrency));
  if (failed.size === 0) return 0;
  if (process.env.GENESYS_KAFKA_AGAIN !== 'true' || failed.size > MOST_AGAIN) return 1;
  const again = await runFiles([...new Set(failed.values())], 1);
  for (const test of failed.keys()) if (!again.has(test)) console.log(`flaky: ${test}`);
  return again.size === 0 ? 0 : 1;
}

/** Resolves with the files of the failed tests, by test. */
async function runFiles(files: readonly string[], concurrency: number): Promise<ReadonlyMap<string, string>> {
  const failed = new Map<string, string>();
  const events = run({
    files: files.map((file) => resolve(file)),
    concurrency,
    timeout: TIMEOUT_MS,
    isolation: 'process',
    forceExit: true,
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
  });
  events.on('test:fail', ({ name, file = name, line, nesting }) => {
    const path = relative(process.cwd(), file);
    if (nesting === 0) failed.set(`${path}:${line} ${name}`, path);
  });
  events.compose(spec).pipe(process.stdout, { end: false });
  await finished(events, { writable: false });
  return failed;
}
