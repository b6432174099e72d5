import { checkTopic, type TopicDescription, type TopicSpec } from '@genesys-kafka/topics';
import { KafkaError } from './errors.ts';
import type { KafkaAdmin } from './port.ts';

type TopicAdmin = Pick<KafkaAdmin, 'createMissing' | 'describeTopic'>;

/**
 * Topics as they are, in the order asked for; undefined for one that is missing. Changes nothing. Rejects with the
 * KafkaError `topic-unfit`, which names everything that is wrong with those that exist.
 */
export async function checkTopics(
  admin: Pick<TopicAdmin, 'describeTopic'>,
  specs: readonly TopicSpec[],
): Promise<readonly (TopicDescription | undefined)[]> {
  const found = await Promise.all(specs.map(async (spec) => admin.describeTopic(spec.name)));
  const problems = specs.flatMap((spec, index) => (found[index] ? checkTopic(spec, found[index]) : []));
  if (problems.length > 0) throw new KafkaError('topic-unfit', problems.join(' '));
  return found;
}

/** Topics made where they are missing, and checked; as they are then, in the order asked for. Rejects as `checkTopics`. */
export async function prepareTopics(
  admin: TopicAdmin,
  specs: readonly TopicSpec[],
): Promise<readonly TopicDescription[]> {
  await admin.createMissing(specs);
  const found = await checkTopics(admin, specs);
  return found.map((topic, index) => {
    if (!topic) throw new KafkaError('topic-missing', `${specs[index]!.name} could not be created.`);
    return topic;
  });
}
