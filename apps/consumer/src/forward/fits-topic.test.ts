import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { OutgoingRecord } from '@genesys-kafka/kafka';
import { fitsTopic } from './fits-topic.ts';

const BYTES = 100_000;
const large = randomBytes(BYTES);
const noise: Record<string, OutgoingRecord> = {
  value: { key: 'k', value: large },
  key: { key: large, value: null },
  headers: { key: null, value: Buffer.from('v'), headers: { note: large } },
};

test('key and headers count as the value does, packed where they are sent packed, and so do the few bytes around them', () => {
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    for (const [where, record] of Object.entries(noise)) {
      // Noise does not pack: it is a little larger then.
      assert(fitsTopic(record, BYTES + 250, compression), `${where}, ${compression}`);
      assert(!fitsTopic(record, BYTES + 60, compression), `${where}, ${compression}`);
    }
  }
  const text = { key: null, value: null, headers: { note: 'x'.repeat(BYTES) } };
  assert(fitsTopic(text, 2000, 'zstd') && fitsTopic(text, 2000, 'gzip') && !fitsTopic(text, BYTES, 'none'));
});
