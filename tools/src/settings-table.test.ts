import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withSettings } from './settings-table.ts';

test('the README knows every setting as the program does', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  assert.equal(readme, withSettings(readme), 'run npm run docs');
});
