import { createHash } from 'node:crypto';
import type { KnownTopics } from '../topic-guard.ts';
import type { TopicIds } from '../topic-ids.ts';
import { TAG_BYTES } from './packed-state.ts';

/** Which topics a digest speaks of: one that was written beside others says nothing of these. */
export type TopicsTag = Buffer;

/**
 * The tag of the topics as they are now. It is another one where the data topic or the ledger was made anew, and where a
 * ledger that had lost entries was accepted: what is read again is then published again, whatever the digests say.
 * Brokers before Kafka 2.8 tell no ids.
 */
export function topicsTag(
  topics: Pick<TopicIds, 'data' | 'ledger'>,
  { ledgerStarts }: Pick<KnownTopics, 'ledgerStarts'>,
): TopicsTag {
  const ids = [topics.data, topics.ledger];
  const starts = ledgerStarts.some((start) => start !== '0') ? ledgerStarts : [];
  return createHash('sha256')
    .update(JSON.stringify([ids, starts]))
    .digest()
    .subarray(0, TAG_BYTES);
}
