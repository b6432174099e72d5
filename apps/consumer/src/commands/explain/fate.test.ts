import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fateOf, type FateFacts } from './fate.ts';

const letter = {
  id: 'd/0/7/crm/2',
  deadLetter: {
    framing: 'confluent',
    stage: 'deliver',
    cause: 'http-422',
    reason: 'refused',
    timestampMs: 0,
    origin: { topic: 'd', partition: 0, offset: 7n },
    route: 'crm',
    attempts: 2,
  },
} as const;
const retry = {
  topic: 'd.retry-1',
  attempt: 2,
  notBefore: '2026-01-01T00:00:00.000Z',
  cause: 'http-503',
  settled: false,
};
const gap = 'd.replay 0 begins at offset 4, and the group has read up to 0';

for (const [state, facts, says] of [
  ['waiting', { committed: undefined }, /committed nothing/],
  ['waiting', { committed: 7n }, /stands at offset 7/],
  ['not-picked', { committed: 7n, picks: false }, /does not pick/],
  ['not-picked', { picks: false }, /does not pick/],
  ['not-picked', { begun: 8n }, /began behind it, at offset 8/],
  ['not-picked', { begun: 8n, committed: undefined }, /began behind it/],
  ['delivered', { begun: 7n }, /has passed it/],
  ['dead-letter', { begun: 8n, letters: [letter] }, /given up/],
  ['delivered', {}, /has passed it/],
  ['retrying', { retries: [retry] }, /attempt 2 ended with http-503/],
  ['delivered', { retries: [{ ...retry, settled: true }] }, /has passed it/],
  ['dead-letter', { letters: [letter] }, /given up after 2 attempts \(http-422\): refused/],
  // Picked by the rule of its time: what is known of it counts, not what the rule says now.
  ['dead-letter', { picks: false, letters: [letter] }, /given up/],
  ['replayed', { letters: [{ ...letter, replayedAt: '2026-01-02' }] }, /replayed at 2026-01-02/],
  ['retrying', { letters: [{ ...letter, replayedAt: '2026-01-02' }], retries: [retry] }, /lies on d\.retry-1/],
  [
    'unknown',
    { letters: [{ ...letter, replayedAt: '2026-01-02' }], gap },
    /replayed at 2026-01-02; but d\.replay 0 begins/,
  ],
  ['unknown', { unseen: 'not all dead letters' }, /^The group has passed it; but not all dead letters were looked at/],
  ['unknown', { unseen: 'not all retries', letters: [{ ...letter, replayedAt: '2026-01-02' }] }, /not all retries/],
  ['not-picked', { picks: false, unseen: 'not all retries' }, /does not pick/],
  ['dead-letter', { letters: [letter], unseen: 'not all retries' }, /given up/],
  ['purged', { purged: '' }, /dead letter was not replayed, and has been purged/],
  ['purged', { purged: '2026-01-02', picks: false }, /was replayed at 2026-01-02, and/],
  ['dead-letter', { letters: [letter], purged: '' }, /given up after/],
  ['unknown', { gap }, /^d\.replay 0 begins/],
  ['not-picked', { picks: false, gap }, /does not pick/],
  ['dead-letter', { letters: [letter], gap }, /given up/],
  ['retrying', { retries: [retry], gap }, /lies on/],
  ['waiting', { committed: 7n, gap }, /stands at offset 7/],
  ['delivered', { picks: { fails: 'no such overload' } }, /no such overload/],
] as const satisfies readonly (readonly [string, Partial<FateFacts>, RegExp])[]) {
  test(`${state}: ${says.source}`, () => {
    const fate = fateOf({ picks: true, committed: 8n, offset: 7n, retries: [], letters: [], ...facts });
    assert.equal(fate.state, state);
    assert.match(fate.why, says);
    assert.ok(fate.next.endsWith('.'));
  });
}
