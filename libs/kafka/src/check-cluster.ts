import { topicRisks, type TopicSpec } from '@genesys-kafka/topics';
import type { KafkaClient } from './port.ts';
import { checkTopics } from './prepare-topics.ts';

/**
 * Whether the brokers answer and the topics that are there will do, as a sentence, or a warning where they may lose what
 * they have taken; changes nothing. Throws the client's error where nobody answers, and `topic-unfit` with all that is
 * wrong with topics.
 */
export async function checkCluster(
  { admin }: Pick<KafkaClient, 'admin'>,
  specs: readonly TopicSpec[],
): Promise<string | { readonly status: 'warning'; readonly message: string }> {
  const brokers = await admin.brokers();
  const topics = await checkTopics(admin, specs);
  const missing = specs.filter((_, index) => topics[index] === undefined).map(({ name }) => name);
  const rest = missing.length === 0 ? 'all topics fit' : `${missing.join(', ')} will be created`;
  const answer = `${brokers.length} broker${brokers.length === 1 ? '' : 's'}, ${rest}`;
  const risks = topics.flatMap((topic) => (topic ? topicRisks(topic, brokers.length) : []));
  return risks.length === 0 ? answer : { status: 'warning', message: `${answer}. ${risks.join(' ')}` };
}
