import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from '@genesys-kafka/delivery';
import fc from 'fast-check';
import { newestOfKeys } from './newest-of-keys.ts';

test('law: each key is there once, with its greatest version, and ids are in one order', () => {
  const record = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), version: fc.nat({ max: 20 }) });
  fc.assert(
    fc.property(fc.array(record), (given) => {
      const batch = given.map(({ key, version }) => ({ key, recordVersion: BigInt(version) }) as Delivery);
      const chosen = newestOfKeys(batch).map(({ key, recordVersion }) => [key, Number(recordVersion)] as const);
      const keys = [...new Set(given.map(({ key }): string => key))].toSorted();
      const versionsOf = (key: string) => given.filter((one) => one.key === key).map(({ version }) => version);
      assert.deepEqual(
        chosen,
        keys.map((key) => [key, Math.max(...versionsOf(key))]),
      );
    }),
  );
});
