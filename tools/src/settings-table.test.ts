import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withSettings } from './settings-table.ts';

test('the reference knows every setting as the program does', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference/settings.md'), 'utf8');
  assert.equal(page, withSettings(page), 'run npm run docs');
});
