import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countColonBytes } from '../../fixtures/count-colons.ts';
import { mutated, seededRandom } from '../../fixtures/mutations.ts';
import { smallRecords } from '../../fixtures/sample-records.ts';
import { conversationSchemaText } from '../conversation-schema.ts';
import { createThoroughValidator } from '../record-validator.ts';
import { createRecordAcceptor } from './record-acceptor.ts';

const ROUNDS = 200_000;
const SEED = 1;

test('of records changed at random, what is accepted is valid, and has that conversationId', () => {
  const schema = JSON.parse(conversationSchemaText) as object;
  const acceptor = createRecordAcceptor(schema);
  const thorough = createThoroughValidator(schema);
  const random = seededRandom(SEED);
  let accepted = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const record = smallRecords[round % smallRecords.length]!;
    const other = smallRecords[Math.floor(random() * smallRecords.length)]!;
    const bytes = mutated(record, other, random);
    const members = countColonBytes(bytes);
    const conversationId = acceptor.accept(bytes, members);
    if (conversationId === undefined) continue;
    accepted += 1;
    const message = `seed ${SEED}, round ${round}: ${bytes.toString()}`;
    assert.deepEqual(thorough.validate(bytes, members), { ok: true, conversationId }, message);
  }
  // Otherwise it would have shown little.
  assert(accepted > ROUNDS / 10, `${accepted} accepted`);
});
