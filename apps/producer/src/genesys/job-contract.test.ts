import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGenesysClient } from '@genesys-kafka/genesys-client/client';
import { bulkArchive } from './job-contract.ts';

const CLIENT = createGenesysClient({
  apiUrl: 'http://127.0.0.1:1',
  loginUrl: 'http://127.0.0.1:1',
  clientId: 'id',
  clientSecret: 'secret-canary',
});
const SPOOL = { fetch: async () => Promise.reject(new Error('not asked')), release: async () => undefined };

test('a size that cannot be read is bad usage, not another size', () => {
  for (const size of ['500', 0, -1, 10.5, null, [], Number.NaN]) {
    assert.throws(() => bulkArchive(CLIENT, { size }, SPOOL), { code: 'query-size', scope: 'usage' }, String(size));
  }
  for (const query of [{}, { size: 1 }, { size: 500 }]) bulkArchive(CLIENT, query, SPOOL);
});
