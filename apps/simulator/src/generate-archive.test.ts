import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { unzip } from '../fixtures/unzip.ts';
import { generateArchive } from './generate-archive.ts';
import { SimulatorOptionsError } from './options.ts';

const options = { seed: 3, records: 300, invalid: 0.1 };

test('the file’s name says the format, and all formats hold the same records', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'simulator-test-'));
  context.after(() => rm(directory, { recursive: true }));
  const write = async (name: string) => {
    const report = await generateArchive(join(directory, name), options);
    return { report, content: await readFile(join(directory, name)) };
  };
  const array = await write('a.json');
  const lines = await write('a.ndjson');
  assert.equal(array.report.jsonBytes, array.content.length);
  assert.ok(array.report.invalid > 10 && array.report.invalid < 60);
  assert.deepEqual((await unzip((await write('a.zip')).content)).content, array.content);
  assert.deepEqual(gunzipSync((await write('a.json.gz')).content), array.content);
  assert.deepEqual(gunzipSync((await write('a.ndjson.gz')).content), lines.content);
  const joined = `[${array.content.toString().slice(1, -1)}]`;
  assert.equal(joined.length, lines.content.toString().length + 1, 'a comma for each line end, and two brackets');
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.endsWith('.partial')),
    [],
  );
});

test('a name of another kind and bad settings are refused by name', async () => {
  await assert.rejects(generateArchive('x.tar', options), SimulatorOptionsError);
  await assert.rejects(
    generateArchive('x.zip', { records: 0, from: 'yesterday' }),
    /records: .*\n {2}from: expected a day/,
  );
  await assert.rejects(
    generateArchive('x.zip', { from: '2025-10-02', to: '2025-10-01' }),
    /to: must be later than from/,
  );
});
