import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSameTopics, topicIds } from './topic-ids.ts';

const NAMES = { data: 'p.data', deadLetters: 'p.dlt', ledger: 'p.ledger' };
const IDS = { 'p.data': 'a', 'p.dlt': 'b', 'p.ledger': 'c' };
const adminOf = (ids: Readonly<Record<string, string | undefined>>) => ({
  topicId: async (topic: string) => ids[topic],
});

test('a topic that is made anew behind a running program is told; dead letters may begin anew', async () => {
  const started = await topicIds(adminOf(IDS), NAMES);
  const now = async (changed: Readonly<Record<string, string | undefined>>) =>
    assertSameTopics(adminOf({ ...IDS, ...changed }), NAMES, started);
  await now({});
  await now({ 'p.dlt': 'd' });
  await assert.rejects(now({ 'p.ledger': 'd' }), { code: 'ledger-missing', retry: false });
  await assert.rejects(now({ 'p.data': 'd' }), { code: 'data-missing', retry: false });
  await assert.rejects(now({ 'p.ledger': undefined }), { code: 'topic-missing' });
  await assert.rejects(now({ 'p.data': undefined }), { code: 'topic-missing' });
});

test('brokers that tell no ids prove nothing', async () => {
  const started = await topicIds(adminOf({}), NAMES);
  await assertSameTopics(adminOf({}), NAMES, started);
  await assertSameTopics(adminOf(IDS), NAMES, started);
});
