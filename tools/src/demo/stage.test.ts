import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenarios } from './stage.ts';

test('no demo finds the topics of another one, nor two parts of one each other’s', () => {
  const files = { dir: '/nowhere', query: '/nowhere/query.json' };
  const all = [undefined, undefined, 'day.zip', 'day.zip'].flatMap((archive) => scenarios(archive, files, {}));
  assert.equal(all.length, 6);
  assert.equal(new Set(all.map(({ prefix }) => prefix)).size, all.length);
});
