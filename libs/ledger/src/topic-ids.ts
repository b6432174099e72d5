import { KafkaError, type KafkaAdmin } from '@genesys-kafka/kafka';
import { LedgerError } from './errors.ts';
import type { LedgerTopics } from './topic-guard.ts';

/** Which topics stand behind the names; a topic that is deleted and made again has another id. Undefined before Kafka 2.8. */
export type TopicIds = { readonly [name in keyof LedgerTopics]: string | undefined };

/** Rejects with a KafkaError, `topic-missing` among them. */
export async function topicIds(admin: Pick<KafkaAdmin, 'topicId'>, topics: LedgerTopics): Promise<TopicIds> {
  const { data, deadLetters, ledger } = topics;
  const [ofData, ofDeadLetters, ofLedger] = await Promise.all([
    admin.topicId(data),
    admin.topicId(deadLetters),
    admin.topicId(ledger),
  ]);
  return { data: ofData, deadLetters: ofDeadLetters, ledger: ofLedger };
}

/**
 * To be asked before a lane is claimed: a ledger that was made anew since the start is empty, and what it had said would be
 * published again; a data topic that was made anew lacks what the ledger says is on it. Rejects with the LedgerErrors
 * `ledger-missing` and `data-missing`, with `topic-missing` while there is none, or with another KafkaError.
 */
export async function assertSameTopics(
  admin: Pick<KafkaAdmin, 'topicId'>,
  topics: LedgerTopics,
  started: TopicIds,
): Promise<void> {
  const now = await topicIds(admin, topics);
  for (const [which, code] of [
    ['ledger', 'ledger-missing'],
    ['data', 'data-missing'],
  ] as const) {
    if (started[which] === undefined || now[which] === started[which]) continue;
    const name = topics[which];
    if (now[which] === undefined) throw new KafkaError('topic-missing', `${name} does not exist any more.`);
    throw new LedgerError(code, `${name} was deleted and made again while it was in use.`);
  }
}
