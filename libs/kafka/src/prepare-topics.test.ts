import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicSpecs, type TopicDescription, type TopicSpec } from '@genesys-kafka/topics';
import { checkTopics, prepareTopics } from './prepare-topics.ts';

const { data, ledger } = topicSpecs({ prefix: 'p.' });
const asCreated = ({ name, partitions, config }: TopicSpec): TopicDescription => ({ name, partitions, config });

function adminOf(...topics: readonly TopicDescription[]) {
  const found = new Map(topics.map((topic) => [topic.name, topic]));
  return {
    describeTopic: async (name: string) => found.get(name),
    async createMissing(specs: readonly TopicSpec[]) {
      const missing = specs.filter(({ name }) => !found.has(name));
      for (const spec of missing) found.set(spec.name, asCreated(spec));
      return missing.map(({ name }) => name);
    },
  };
}

test('what is missing is created, and the topics come back as they are, in the order asked for', async () => {
  const larger = { ...asCreated(data), partitions: 24 };
  assert.deepEqual(await checkTopics(adminOf(larger), [ledger, data]), [undefined, larger]);
  assert.deepEqual(await prepareTopics(adminOf(larger), [ledger, data]), [asCreated(ledger), larger]);
});

test('everything that is wrong is one error, and nothing that exists is altered', async () => {
  const compacted = { ...asCreated(data), config: { 'cleanup.policy': 'compact' } };
  const short = { ...asCreated(ledger), partitions: 3 };
  for (const call of [checkTopics, prepareTopics]) {
    await assert.rejects(call(adminOf(compacted, short), [data, ledger]), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'topic-unfit');
      assert.match(error.message, /p\.conversation-details: cleanup\.policy is compact/);
      assert.match(error.message, /p\.export-ledger: has 3 partitions/);
      return true;
    });
  }
});

test('a topic that is still missing after its creation is an error, never half a start', async () => {
  const admin = { ...adminOf(), createMissing: async () => [] };
  await assert.rejects(prepareTopics(admin, [data]), { code: 'topic-missing' });
});
