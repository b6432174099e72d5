import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { SETTINGS } from '../settings.ts';
import { leftoverRetries } from './leftover-retries.ts';

const { kafka, retry } = loadSettings(SETTINGS, { env: { KAFKA_TOPIC_PREFIX: 'p.' } });
const name = (tier: number) => `p.conversation-details.retry-${tier}`;

/** Of a configuration with these tiers, on a cluster that holds these retry topics. */
async function leftovers(tiersMs: number[], there: readonly number[]): Promise<string[]> {
  const topics = new Set(['p.conversation-details', 'p.conversation-details.dlt', ...there.map(name)]);
  const describeTopic = async (topic: string) =>
    topics.has(topic) ? { name: topic, partitions: 6, config: {} } : undefined;
  return leftoverRetries({ describeTopic }, { kafka, retry: { ...retry, tiersMs } });
}

test('a retry topic of a tier that was taken out of the configuration is still found, wherever it stands', async () => {
  // The fourth was deleted by hand.
  assert.deepEqual(await leftovers([5000, 60_000], [1, 2, 3, 5, 20]), [name(3), name(5), name(20)]);
});

test('where no tier was taken out, there is nothing more to read', async () => {
  assert.deepEqual(await leftovers([5000, 60_000], [1, 2]), []);
  assert.deepEqual(await leftovers([5000, 60_000], []), []);
});
