import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TAG_BYTES } from './packed-state.ts';
import { topicsTag } from './topics-tag.ts';

function tagOf({ data, ledger }: { data?: string; ledger?: string }, ledgerStarts: readonly string[] = []) {
  const tag = topicsTag({ data, ledger }, { ledgerStarts });
  assert.equal(tag.length, TAG_BYTES);
  return tag.toString('hex');
}

test('a tag is another one where a topic was made anew, or a cut ledger was accepted, and otherwise the same', () => {
  const tag = tagOf({ data: 'a', ledger: 'b' });
  assert.equal(tagOf({ data: 'a', ledger: 'b' }), tag);
  assert.equal(tagOf({ data: 'a', ledger: 'b' }, ['0', '0']), tag, 'a ledger that was just made has no offsets yet');
  const others = [
    tagOf({ data: 'c', ledger: 'b' }),
    tagOf({ data: 'a', ledger: 'c' }),
    tagOf({ data: 'b', ledger: 'a' }),
    tagOf({ data: 'a', ledger: 'b' }, ['0', '7']),
    tagOf({ data: 'a', ledger: 'b' }, ['7', '0']),
    tagOf({}),
  ];
  assert.equal(new Set([tag, ...others]).size, others.length + 1);
});
