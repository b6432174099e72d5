import { OperationalError } from '@genesys-kafka/resilience';

/** Retention deleted records before this group read them, or the topic was created anew. */
export class RecordsGoneError extends OperationalError {
  constructor(facts: {
    readonly groupId: string;
    readonly topic: string;
    readonly partition: number;
    readonly next: bigint;
    readonly first: bigint;
    readonly end: bigint;
  }) {
    const { groupId, topic, partition, next, first, end } = facts;
    const where = `${topic} partition ${partition}: group ${groupId} stands at offset ${next}`;
    const what =
      next < first
        ? `the log begins at ${first}: ${first - next} offsets were deleted before they were read`
        : `the log ends at ${end}: the topic was emptied or created anew`;
    super(
      'records-gone',
      `${where}, but ${what}. Publish the missing windows again, then start once with --accept-gap to go on with what is there.`,
      { details: { groupId, topic, partition } },
    );
  }
}

/** A topic is there and will not do. */
export class TopicUnfitError extends OperationalError {
  constructor(problems: readonly string[]) {
    super('topic-unfit', problems.length === 1 ? problems[0]! : ['topics will not do:', ...problems].join('\n  - '));
  }
}
