import assert from 'node:assert/strict';
import { test } from 'node:test';
import { creationOf, quotedTable } from './table.ts';

test('names stand in quotes, each part of a table alone, and none ends its own', () => {
  assert.equal(quotedTable('Conversations'), '"Conversations"');
  assert.equal(quotedTable('crm.a"; DROP TABLE b; --'), '"crm"."a""; DROP TABLE b; --"');
  const columns = { 'n"': { type: 'text', as: "record->>'n'" } };
  assert.equal(
    creationOf({ table: 'crm.t', recordType: 'json', columns }),
    'CREATE TABLE IF NOT EXISTS "crm"."t" (id text PRIMARY KEY, record json NOT NULL, version bigint NOT NULL, ' +
      `source text NOT NULL, updated_at timestamptz NOT NULL, "n""" text GENERATED ALWAYS AS (record->>'n') STORED)`,
  );
});
