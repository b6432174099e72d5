import assert from 'node:assert/strict';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { FILES, isTest, read, SOURCES } from './tree.ts';

const TOP_LEVEL = new Set([
  ...['package.json', 'package-lock.json', 'nx.json', 'tsconfig.base.json', 'tsconfig.json', 'eslint.config.mjs'],
  ...['README.md', 'LICENSE', 'docs', 'libs', 'apps', 'docker', 'tools'],
]);

/** More is a sign that a folder is two rooms. */
const MOST_FILES = 16;
const MOST_LINES = 400;

test('the top level is closed', () => {
  const strangers = new Set(FILES.map((file) => file.split('/')[0]!).filter((name) => !name.startsWith('.')));
  assert.deepEqual(
    [...strangers].filter((name) => !TOP_LEVEL.has(name) && !/^knip\.jsonc?$/.test(name)),
    [],
  );
});

test('a source file is one concept: kebab-case, no drawer, not too long', () => {
  for (const file of SOURCES) {
    const name = basename(file);
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.(ts|mjs|cjs)$/, file);
    assert.doesNotMatch(name, /^(utils?|common|helpers?|misc)\b/, file);
    assert.ok(read(file).split('\n').length <= MOST_LINES + 1, `${file} has more than ${MOST_LINES} lines`);
  }
});

test('a folder is one room: not too many source files beside their tests', () => {
  const folders = Map.groupBy(
    SOURCES.filter((file) => !isTest(file)),
    (file) => dirname(file),
  );
  const full = [...folders].filter(([, files]) => files.length > MOST_FILES);
  assert.deepEqual(
    full.map(([folder, files]) => `${folder}: ${files.length}`),
    [],
  );
});

test('no test is skipped for good or narrowed', () => {
  for (const file of SOURCES.filter((name) => isTest(name) && !name.startsWith('tools/src/tidy/'))) {
    assert.doesNotMatch(read(file), /\b(test|it|describe|suite)\.(only|todo|skip)\b/, file);
  }
});

test('an error is made from a table, so that the reference knows its code', () => {
  const product = SOURCES.filter((file) => /^(libs|apps)\/[^/]+\/src\//.test(file) && !isTest(file));
  const apart = product.filter((file) => !/^libs\/(resilience|testing)\//.test(file));
  assert.deepEqual(
    apart.filter((file) => /new OperationalError\(|extends OperationalError\b/.test(read(file))),
    [],
  );
});

test('the lock file names no registry', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved": "https?:/);
});

test('every package is private, licensed, and in one layer', () => {
  for (const file of FILES.filter((name) => /^(libs|apps)\/[^/]+\/package\.json$/.test(name))) {
    const manifest = JSON.parse(read(file)) as { private?: boolean; license?: string; nx?: { tags?: string[] } };
    assert.equal(manifest.private, true, file);
    assert.equal(manifest.license, 'Apache-2.0', file);
    assert.equal(manifest.nx?.tags?.filter((tag) => tag.startsWith('layer:')).length, 1, file);
  }
});
