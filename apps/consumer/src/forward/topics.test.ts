import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '@genesys-kafka/runtime';
import { topicSpecs, type TopicDescription, type TopicSpec } from '@genesys-kafka/topics';
import { SETTINGS } from '../settings.ts';
import { prepareConsumerTopics, sourcesOf } from './topics.ts';

const { kafka, retry } = loadSettings(SETTINGS, { env: { KAFKA_TOPIC_PREFIX: 'p.' } });
const settings = (...tiersMs: readonly number[]) => ({ kafka, retry: { ...retry, tiersMs: [...tiersMs] } });

/** A cluster that holds some topics. */
function clusterOf(specs: readonly TopicSpec[]) {
  const found = new Map<string, TopicDescription>();
  const make = (spec: TopicSpec) => void found.set(spec.name, { ...spec });
  specs.forEach(make);
  return {
    admin: {
      describeTopic: async (name: string) => found.get(name),
      async createMissing(wanted: readonly TopicSpec[]) {
        const missing = wanted.filter(({ name }) => !found.has(name));
        missing.forEach(make);
        return missing.map(({ name }) => name);
      },
    },
  };
}

test('a retry topic of a tier that was taken out of the configuration is still read, wherever it stands', async () => {
  const { data, retries, deadLetters } = topicSpecs({ prefix: 'p.', retryTiers: 20 });
  // The fourth was deleted by hand.
  const there = [data, ...retries.slice(0, 3), retries[4]!, retries[19]!, deadLetters];
  const topics = await prepareConsumerTopics(clusterOf(there), settings(5000, 60_000));
  const name = (tier: number) => `p.conversation-details.retry-${tier}`;
  assert.deepEqual(
    topics.retries.map(({ topic }) => topic),
    [name(1), name(2)],
  );
  assert.deepEqual(topics.leftovers, [name(3), name(5), name(20)]);
  assert.deepEqual(sourcesOf(topics), ['p.conversation-details', name(1), name(2), name(3), name(5), name(20)]);
});

test('where no tier was taken out, nothing more is read', async () => {
  const topics = await prepareConsumerTopics(clusterOf([]), settings(5000));
  assert.deepEqual(sourcesOf(topics), ['p.conversation-details', 'p.conversation-details.retry-1']);
});
