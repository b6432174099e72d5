import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { knownErrors } from './errors.ts';
import { REFERENCE } from './pages.ts';
import { ROOT } from './repository.ts';

const FOLDER = join(ROOT, 'docs/reference');
const read = (file: string) => readFileSync(join(FOLDER, file), 'utf8');

for (const [file, write] of Object.entries(REFERENCE)) {
  test(`docs/reference/${file} says what the code says`, async () => {
    assert.equal(read(file), await write(), 'run npm run docs');
  });
}

test('every page of the reference is a generated one, and the other way round', () => {
  const found = readdirSync(FOLDER).filter((file) => file !== 'README.md');
  assert.deepEqual(found.sort(), Object.keys(REFERENCE).sort());
});

test('a code means one thing in the whole product: where two tables have it, they say the same of it', async () => {
  const places = Map.groupBy(await knownErrors(), ({ code }) => code);
  const shared = [...places].filter(([, errors]) => new Set(errors.map(({ meaning }) => meaning)).size > 1);
  assert.deepEqual(
    shared.map(([code, errors]) => `${code}: ${errors.map((error) => error.package).join(', ')}`),
    [],
  );
});

test('every error says what it means and what to do, in whole sentences', async () => {
  for (const { code, meaning, remedy } of await knownErrors()) {
    assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*$/, code);
    for (const text of [meaning, remedy]) assert.match(text, /^\P{Ll}.*[.?]$/u, `${code}: ${text}`);
  }
});
