import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KAFKAJS_VERSION, TAPS } from './taps.ts';

const root = join(import.meta.dirname, '../../../..');
const read = (...path: string[]) => readFileSync(join(...path), 'utf8');
const json = (...path: string[]) => JSON.parse(read(...path)) as Record<string, Record<string, string> | undefined>;

test('kafkajs is the version that the taps were read in, exactly, wherever it is named', () => {
  const manifests = globSync('{libs,apps}/*/package.json', { cwd: root });
  assert.ok(manifests.includes('libs/kafka/package.json'));
  for (const file of manifests) {
    const { dependencies, devDependencies } = json(root, file);
    assert.equal({ kafkajs: KAFKAJS_VERSION, ...dependencies, ...devDependencies }.kafkajs, KAFKAJS_VERSION, file);
  }
  const lock = JSON.parse(read(root, 'package-lock.json')) as { packages: Record<string, { version?: string }> };
  const locked = Object.entries(lock.packages).filter(([path]) => path.endsWith('node_modules/kafkajs'));
  assert.deepEqual(
    locked.map(([path, { version }]) => [path, version]),
    [['node_modules/kafkajs', KAFKAJS_VERSION]],
  );
  assert.equal(json(root, 'node_modules/kafkajs/package.json').version, KAFKAJS_VERSION);
});

test('every file and every test that a tap names is there', () => {
  for (const { what, where, guardedBy } of TAPS) {
    assert.ok(where.length > 0 && guardedBy.length > 0, what);
    for (const file of where) assert.ok(read(import.meta.dirname, file).length > 0);
    for (const [file, name] of guardedBy) {
      const declared = [`test('${name}'`, `test("${name}"`, `test(\`${name}\``];
      const source = read(import.meta.dirname, '..', file);
      assert.ok(
        declared.some((declaration) => source.includes(declaration)),
        `${file} has no test "${name}"`,
      );
    }
  }
});

test('every file of ours that imports kafkajs is in the list, and one alone requires its insides', () => {
  const listed = new Set(TAPS.flatMap(({ where }) => where));
  const sources = globSync('**/*.ts', { cwd: import.meta.dirname }).filter((file) => !file.endsWith('.test.ts'));
  for (const file of sources) {
    if (read(import.meta.dirname, file).includes("from 'kafkajs'")) assert.ok(listed.has(file), `${file} is in no tap`);
  }
  const insiders = sources.filter((file) => read(import.meta.dirname, file).includes("require('kafkajs/"));
  assert.deepEqual(insiders, ['internals.ts']);
  const wire = globSync('../wire/*.ts', { cwd: import.meta.dirname }).filter((file) => !file.endsWith('.test.ts'));
  for (const file of wire) assert.doesNotMatch(read(import.meta.dirname, file), /from '[^']*kafkajs/, file);
});
