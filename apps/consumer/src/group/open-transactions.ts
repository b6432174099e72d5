import {
  OPEN_TRANSACTION_MS,
  partitionName,
  type KafkaAdmin,
  type KafkaClient,
  type TopicPartition,
} from '@genesys-kafka/kafka';
import { ConsumerError } from '../errors.ts';

/**
 * Partitions whose log ended, when it was looked at, at `end`, beyond what was committed. A commit is answered before its
 * markers are written, and what lies behind somebody's open transaction is not visible: "nothing is left" has to wait.
 */
export type OpenTransactions = readonly (TopicPartition & { readonly end: bigint })[];

export interface OpenTransactionsOptions {
  readonly client: Pick<KafkaClient, 'read'> & { readonly admin: Pick<KafkaAdmin, 'offsets'> };
  readonly topics: readonly string[];
  readonly signal: AbortSignal;
}

export async function findOpenTransactions({
  client,
  topics,
  signal,
}: OpenTransactionsOptions): Promise<OpenTransactions> {
  const open: (TopicPartition & { readonly end: bigint })[] = [];
  for (const topic of topics) {
    const offsets = await client.admin.offsets(topic);
    await Promise.all(
      offsets.map(async ({ partition, end: from }) => {
        for await (const slice of client.read({ topic, partition }, { from, signal, maxWaitMs: 1 })) {
          if (slice.highWatermark > from) open.push({ topic, partition, end: slice.highWatermark });
          break;
        }
      }),
    );
  }
  return open;
}

/** Those of them that are not yet committed or aborted up to where they ended. */
export async function stillOpen(admin: Pick<KafkaAdmin, 'offsets'>, open: OpenTransactions): Promise<OpenTransactions> {
  const left: OpenTransactions[] = [];
  for (const [topic, ofTopic] of Map.groupBy(open, ({ topic }) => topic)) {
    const ends = new Map((await admin.offsets(topic)).map(({ partition, end }) => [partition, end]));
    left.push(ofTopic.filter(({ partition, end }) => (ends.get(partition) ?? end) < end));
  }
  return left.flat();
}

export function transactionOpen(open: OpenTransactions): ConsumerError {
  const where = open.map(partitionName).join(', ');
  const what = `A transaction has been open in ${where} for more than ${OPEN_TRANSACTION_MS / 1000} s`;
  return new ConsumerError('transaction-open', `${what}, and what is behind it cannot be read.`);
}
