import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { records as arbitraryRecords } from '../../fixtures/outgoing-records.ts';
import { EncodedRecords } from './record-encoder.ts';

interface KafkajsEncoder {
  readonly buffer: Buffer;
}
const require = createRequire(import.meta.url);
// The reference: what kafkajs itself makes of the same record.
const encodeByKafkajs = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => KafkajsEncoder;

test('the records are the bytes that kafkajs makes of them', () => {
  fc.assert(
    fc.property(arbitraryRecords, (records) => {
      const encoded = new EncodedRecords(records);
      const ours = Buffer.alloc(encoded.bytes);
      encoded.writeTo(ours);
      const reference = records.map(({ key, value, headers }, offsetDelta) => {
        const whole = Array.isArray(value) ? Buffer.concat(value) : value;
        const defined = Object.fromEntries(Object.entries(headers ?? {}).filter(([, header]) => header !== undefined));
        return encodeByKafkajs({ key, value: whole, headers: defined, offsetDelta }).buffer;
      });
      assert.deepEqual(ours, Buffer.concat(reference));
    }),
  );
});
