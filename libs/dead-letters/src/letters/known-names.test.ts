import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertNamesKnown, CAUSES } from './known-names.ts';
import { Letters } from './letters.ts';

const PAGE = join(import.meta.dirname, '../../../../docs/operating.md');
const none = new Letters([]);

test('the causes that docs/operating.md lists are those that are known before any record died of them', async () => {
  const rows = (await readFile(PAGE, 'utf8')).matchAll(
    /^\| `(?:parse|validate|oversize|decode|route|deliver)` +\|(.*)\|$/gm,
  );
  const words = Array.from(rows, ([, causes]) =>
    Array.from(causes!.matchAll(/`([a-z0-9<>-]+)`/gi), ([, word]) => word!),
  ).flat();
  const codes = new Map([
    ['http-<status>', 'http-503'],
    ['postgres-<SQLSTATE>', 'postgres-22P02'],
  ]);
  const listed = words.filter((word) => word.includes('-') || CAUSES.has(word));
  assert.deepEqual(new Set(listed.filter((word) => !codes.has(word))), CAUSES);
  for (const word of listed) await assertNamesKnown(none, { cause: codes.get(word) ?? word }, []);
});

test('an unknown name is a fault of usage where there is no dead letter at all, too', async () => {
  for (const cause of ['nosuch', 'http422', 'http-999', 'postgres-', 'postgres-22p02'])
    await assert.rejects(assertNamesKnown(none, { cause }, ['crm']), {
      code: 'filter-name-unknown',
      scope: 'usage',
      message: new RegExp(`^No dead letter is of cause "${cause}"\\. There is none at all\\.`),
    });
  await assert.rejects(assertNamesKnown(none, { route: 'cmr' }, ['crm']), /of route "cmr"\. There are: crm\./);
  await assertNamesKnown(none, { route: 'crm', cause: 'timeout', key: 'nobody' }, ['crm']);
});
