import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const sources = files.filter((file) => /\.(ts|mjs|cjs)$/.test(file));
const read = (file: string) => readFileSync(join(root, file), 'utf8');

const TOP_LEVEL = new Set([
  ...['package.json', 'package-lock.json', 'nx.json', 'tsconfig.base.json', 'tsconfig.json', 'eslint.config.mjs'],
  ...['README.md', 'LICENSE', 'docs', 'libs', 'apps', 'docker', 'tools'],
]);

test('the top level is closed', () => {
  const strangers = new Set(files.map((file) => file.split('/')[0]!).filter((name) => !name.startsWith('.')));
  assert.deepEqual(
    [...strangers].filter((name) => !TOP_LEVEL.has(name)),
    [],
  );
});

test('a source file is one concept: kebab-case, no drawer, at most 400 lines', () => {
  for (const file of sources) {
    const name = basename(file);
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.(ts|mjs|cjs)$/, file);
    assert.doesNotMatch(name, /^(utils?|common|helpers?|misc)\b/, file);
    assert.ok(read(file).split('\n').length <= 401, `${file} has more than 400 lines`);
  }
});

test('no test is skipped for good or narrowed', () => {
  for (const file of sources.filter((name) => /\.(test|integration)\.ts$/.test(name) && !name.includes('tidy'))) {
    assert.doesNotMatch(read(file), /\b(test|it|describe|suite)\.(only|todo|skip)\b/, file);
  }
});

test('the lock file names no registry', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved": "https?:/);
});

test('every package is private, licensed, and in one layer', () => {
  for (const file of files.filter((name) => /^(libs|apps)\/[^/]+\/package\.json$/.test(name))) {
    const manifest = JSON.parse(read(file)) as { private?: boolean; license?: string; nx?: { tags?: string[] } };
    assert.equal(manifest.private, true, file);
    assert.equal(manifest.license, 'Apache-2.0', file);
    assert.equal(manifest.nx?.tags?.filter((tag) => tag.startsWith('layer:')).length, 1, file);
  }
});
