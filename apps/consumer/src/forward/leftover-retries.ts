import { MOST_TIERS } from '@genesys-kafka/delivery/settings';
import type { KafkaAdmin } from '@genesys-kafka/kafka';
import { topicSpecs } from '@genesys-kafka/topics';
import type { Settings } from '../settings.ts';

/**
 * Retry topics of tiers that are in the configuration no more. Nothing is written to them; what lies there is read, or
 * it would be records that nobody has and nobody misses.
 */
export async function leftoverRetries(
  admin: Pick<KafkaAdmin, 'describeTopic'>,
  { kafka, retry }: Pick<Settings, 'kafka' | 'retry'>,
): Promise<string[]> {
  const possible = topicSpecs({ prefix: kafka.topicPrefix, retryTiers: MOST_TIERS }).retries;
  const names = possible.slice(retry.tiersMs.length).map(({ name }) => name);
  const found = await Promise.all(names.map(async (name) => admin.describeTopic(name)));
  return names.filter((_, index) => found[index] !== undefined);
}
