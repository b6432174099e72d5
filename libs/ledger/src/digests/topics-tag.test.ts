import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TAG_BYTES } from './packed-state.ts';
import { topicsTag } from './topics-tag.ts';

const NAMES = { data: 'details', ledger: 'ledger' };

async function tagOf(ids: Readonly<Record<string, string | undefined>>, ledgerStarts: readonly string[] = []) {
  const tag = await topicsTag({ topicId: async (topic) => ids[topic] }, NAMES, { ledgerStarts });
  assert.equal(tag.length, TAG_BYTES);
  return tag.toString('hex');
}

test('a tag is another one where a topic was made anew, or a cut ledger was accepted, and otherwise the same', async () => {
  const tag = await tagOf({ details: 'a', ledger: 'b' });
  assert.equal(await tagOf({ details: 'a', ledger: 'b' }), tag);
  assert.equal(
    await tagOf({ details: 'a', ledger: 'b' }, ['0', '0']),
    tag,
    'a ledger that was just made has no offsets yet',
  );
  const others = [
    await tagOf({ details: 'c', ledger: 'b' }),
    await tagOf({ details: 'a', ledger: 'c' }),
    await tagOf({ details: 'b', ledger: 'a' }),
    await tagOf({ details: 'a', ledger: 'b' }, ['0', '7']),
    await tagOf({ details: 'a', ledger: 'b' }, ['7', '0']),
    await tagOf({}),
  ];
  assert.equal(new Set([tag, ...others]).size, others.length + 1);
});
