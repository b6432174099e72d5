import type { GroupCommit, KafkaAdmin } from '@genesys-kafka/kafka';

/**
 * What is kept with each committed offset. An offset alone does not tell of which of two topics of one name it is: a
 * commit that is under way while a topic is deleted and made anew comes to lie in the new one.
 */
export function noteWithTopicId(note: string, topicId: string | undefined): string {
  return topicId === undefined ? note : `topic=${topicId} ${note}`;
}

/** Whether the offset was reached in another topic of that name. Unknown ids, of old brokers or notes, tell nothing. */
export function isOfEarlierTopic(commit: GroupCommit | undefined, topicId: string | undefined): boolean {
  const kept = /^topic=(\S+) /.exec(commit?.note ?? '')?.[1];
  return kept !== undefined && topicId !== undefined && kept !== topicId;
}

/** The offsets that groups have committed in the topic that there is now, by partition, in the order of `groupIds`. */
export async function committedIn(
  admin: Pick<KafkaAdmin, 'groupCommits' | 'topicId'>,
  groupIds: readonly string[],
  topic: string,
): Promise<readonly ReadonlyMap<number, bigint>[]> {
  const groups = await Promise.all(groupIds.map(async (groupId) => admin.groupCommits(groupId, topic)));
  const topicId = await admin.topicId(topic);
  return groups.map(
    (commits) =>
      new Map(
        [...commits].flatMap(([partition, commit]) =>
          isOfEarlierTopic(commit, topicId) ? [] : [[partition, commit.offset] as const],
        ),
      ),
  );
}
