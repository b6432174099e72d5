import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaClient } from '@genesys-kafka/kafka';
import type { TopicDescription } from '@genesys-kafka/topics';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { SETTINGS } from '../settings.ts';
import { consumerSpecs, prepareConsumerTopics } from './topics.ts';

const settings = loadSettings(SETTINGS, { env: {} });

/** A cluster whose topics are as we would make them, but for these. */
function cluster(changed: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  const { main, retries, replays, deadLetters } = consumerSpecs(settings);
  const topics = new Map<string, TopicDescription>(
    [main, ...retries, replays, deadLetters].map((spec) => [
      spec.name,
      { ...spec, config: { ...spec.config, ...changed[spec.name] } },
    ]),
  );
  const admin = { createMissing: async () => [], describeTopic: async (name: string) => topics.get(name) };
  return { client: { admin } as unknown as KafkaClient, main: main.name, deadLetters: deadLetters.name };
}

test('topics that cannot hold the records of the main topic are refused at the start', async () => {
  const { main, deadLetters } = cluster({});
  const { retries, replays } = await prepareConsumerTopics(cluster({}).client, settings);
  const large = String(32 << 20);
  const grown = cluster({ [main]: { 'max.message.bytes': large }, [deadLetters]: { 'max.message.bytes': large } });
  await assert.rejects(prepareConsumerTopics(grown.client, settings), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'topic-unfit');
    for (const { topic } of [...retries, replays])
      assert.ok(error.message.includes(`${topic}: max.message.bytes is 16777216`));
    assert.ok(!error.message.includes(`${deadLetters}:`));
    return true;
  });
});
