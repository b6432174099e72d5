import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { promisify } from 'node:util';
import type { Delivery } from '@genesys-kafka/delivery';
import { createFileSink } from './file-sink.ts';

const never = new AbortController().signal;
const batchOf = (...numbers: number[]) =>
  numbers.map((n) => ({ body: Buffer.from(`{"n":${n},"pad":"${'x'.repeat(200)}"}`) }) as Delivery);

const OPERATIONS = ['read', 'write', 'stat', 'truncate', 'datasync', 'sync'] as const;
const CAUSES = { EIO: 'io-error', EDQUOT: 'disk-full', ENOSPC: 'disk-full' };

for (const [code, cause] of Object.entries(CAUSES)) {
  test(`${code} at any moment of a delivery is a retry (${cause}); what was acknowledged is there, each line whole`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'failing-disk-'));
    await using some = await open(directory);
    const handles = Object.getPrototypeOf(some) as Record<string, (...given: unknown[]) => Promise<unknown>>;
    let nth = 0;
    try {
      for (let isFailing = true; isFailing;) {
        nth += 1;
        let done = 0;
        const mocks = OPERATIONS.map((name) => {
          const real = handles[name]!;
          return mock.method(handles, name, async function (this: unknown, ...given: [Buffer, number]) {
            if ((done += 1) !== nth) return real.apply(this, given);
            const [bytes, from] = given;
            // The half of it had room.
            if (name === 'write') await real.apply(this, [bytes, from, Math.floor(bytes.length / 2)]);
            throw Object.assign(new Error('the disk'), { code, syscall: name });
          });
        });
        const path = join(directory, `${nth}.ndjson`);
        const sink = createFileSink({ path });
        const acknowledged: number[] = [];
        try {
          for (const numbers of [[1, 2], [3], [4, 5]]) {
            const outcomes = await sink.deliver(batchOf(...numbers), never);
            for (const [index, outcome] of outcomes.entries()) {
              if (outcome.kind === 'delivered') acknowledged.push(numbers[index]!);
              else assert.equal(outcome.kind === 'retry' && outcome.failure.cause, cause, JSON.stringify(outcome));
            }
          }
        } finally {
          for (const one of mocks) one.mock.restore();
          await sink.close();
        }
        const lines = (await readFile(path, 'utf8')).split('\n');
        assert.equal(lines.pop(), '');
        assert.deepEqual(
          lines.map((line) => (JSON.parse(line) as { n: number }).n),
          acknowledged,
        );
        isFailing = done >= nth;
        assert.ok(acknowledged.length >= (isFailing ? 3 : 5), `operation ${nth}: ${acknowledged.join()}`);
      }
      assert.ok(nth > 10, `${nth} operations`);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

test(
  'without a file descriptor left a delivery is a retry, and goes on with the next one that there is',
  { skip: process.platform !== 'linux' },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'no-descriptor-'));
    const path = join(directory, 'out.ndjson');
    const script = `
      import { closeSync, openSync } from 'node:fs';
      const { createFileSink } = await import(${JSON.stringify(new URL('file-sink.ts', import.meta.url).href)});
      const sink = createFileSink({ path: ${JSON.stringify(path)} });
      const send = (n) => sink.deliver([{ body: Buffer.from(JSON.stringify({ n })) }], new AbortController().signal);
      const taken = [];
      try { for (;;) taken.push(openSync('/dev/null')); } catch {}
      const outcomes = await send(1);
      for (const one of taken) closeSync(one);
      outcomes.push(...(await send(1)));
      await sink.close();
      console.log(JSON.stringify(outcomes));`;
    try {
      const shell = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"';
      const { stdout } = await promisify(execFile)('bash', ['-c', shell, process.execPath, script]);
      assert.deepEqual(JSON.parse(stdout), [
        { kind: 'retry', failure: { cause: 'too-many-open-files', reason: 'no file descriptor is left' } },
        { kind: 'delivered' },
      ]);
      assert.equal(await readFile(path, 'utf8'), '{"n":1}\n');
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);
