import { settledWithin } from '@genesys-kafka/resilience';
import type { Batch } from 'kafkajs';
import type { GroupBatch, GroupOptions, RecordView } from '../../port.ts';
import type { FetchedPartition } from '../../wire/fetch-response.ts';
import { decodeBatches } from '../../wire/record-batch.ts';
import { UnpackBudget } from '../../wire/unpack-budget.ts';
import { fetchRaw, protocolError, type Broker, type GroupFetchRequest, type GroupFetchResponse } from '../internals.ts';

const OFFSET_OUT_OF_RANGE = 1;
/** A fetch unpacks to half as much where records pack as conversations do, and to any amount where they pack better. */
const ENOUGH_BYTES = 4 * 1024 * 1024;

/** What kafkajs takes for the one message of a batch: our batch, at the last offset that it covers. */
interface StandIn {
  readonly offset: string;
  readonly isControlRecord: false;
  readonly fetched: FetchedBatch;
}

export interface FetchedBatch {
  readonly batch: GroupBatch;
  /** As `fetchForGroup` was given it. */
  readonly generation: number | undefined;
}

export interface GroupFetchOptions {
  readonly maxBytes: number;
  /** That the fetch was started in. */
  readonly generation: number | undefined;
  readonly wants?: GroupOptions['wants'];
  /** Where something is expected to be fetched soon that the request leaves out. */
  readonly soon?: Promise<unknown> | undefined;
  readonly random?: () => number;
}

/**
 * Reads for a group of kafkajs's, in its place. Each partition's batch is one message to it, also where it holds markers
 * and aborted records alone: of those kafkajs would move the position by itself, after a rebalance too, and past what
 * was committed. An offset out of range is a batch as well: kafkajs would begin at the earliest one without a word.
 */
export async function fetchForGroup(
  broker: Broker,
  request: GroupFetchRequest,
  { maxBytes, generation, wants, soon, random = Math.random }: GroupFetchOptions,
): Promise<GroupFetchResponse> {
  const { maxWaitTime } = request;
  const asked = inRandomOrder(request, random);
  const fetched = await fetchFrom(broker, soon ? { ...asked, maxWaitTime: 0 } : asked);
  const failed = fetched.find(({ errorCode }) => errorCode !== 0 && errorCode !== OFFSET_OUT_OF_RANGE);
  if (failed) throw protocolError(failed.errorCode);
  if (soon && fetched.every(isEmpty)) await settledWithin(soon, maxWaitTime);
  const budget = new UnpackBudget(maxBytes, ENOUGH_BYTES);
  const responses = [];
  for (const one of fetched) {
    const batch = await decoded(one, offsetAsked(request, one), budget, wants);
    const last = batch.outOfRange ? batch.from : batch.nextOffset - 1n;
    const standIn: StandIn = { offset: last.toString(), isControlRecord: false, fetched: { batch, generation } };
    const messages = last >= batch.from ? [standIn] : [];
    const { topic: topicName, partition } = one;
    const highWatermark = one.highWatermark.toString();
    responses.push({ topicName, partitions: [{ partition, highWatermark, abortedTransactions: [], messages }] });
  }
  return { responses };
}

/** The batch that `fetchForGroup` gave kafkajs. */
export function batchOf({ messages }: Batch): FetchedBatch {
  return (messages[0] as unknown as StandIn).fetched;
}

/** Brokers fill their answer in the order asked for, and so do we our budget: none is always the last (KIP-74). */
function inRandomOrder(request: GroupFetchRequest, random: () => number): GroupFetchRequest {
  const topics = request.topics
    .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partitions: [partition] })))
    .map((one) => ({ one, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
  return { ...request, topics };
}

async function fetchFrom(broker: Broker, request: GroupFetchRequest): Promise<readonly FetchedPartition[]> {
  try {
    return await fetchRaw(broker, request);
  } catch (error) {
    // As kafkajs does: this connection is not used again.
    if ((error as Error).name === 'KafkaJSConnectionClosedError') await broker.disconnect();
    throw error;
  }
}

const isEmpty = ({ errorCode, batches }: FetchedPartition) => errorCode === 0 && batches.length === 0;

async function decoded(
  fetched: FetchedPartition,
  from: bigint,
  budget: UnpackBudget,
  wants: GroupOptions['wants'],
): Promise<GroupBatch> {
  const { topic, partition, errorCode, batches, abortedTransactions: aborted } = fetched;
  const place = { topic, partition, from };
  if (errorCode === OFFSET_OUT_OF_RANGE)
    return { ...place, outOfRange: true, records: [], unwanted: 0, nextOffset: from };
  try {
    const wantsHere = wants && ((record: RecordView) => wants(topic, record));
    const found = await decodeBatches(batches, { ...place, aborted, budget, wants: wantsHere });
    return { ...place, outOfRange: false, ...found, nextOffset: found.nextOffset ?? from };
  } catch (error) {
    // kafkajs retries what is not marked so, and what cannot be read would be fetched for ever.
    throw Object.assign(error as Error, { retriable: false });
  }
}

function offsetAsked({ topics }: GroupFetchRequest, { topic, partition }: FetchedPartition): bigint {
  for (const asked of topics) {
    const found = asked.topic === topic ? asked.partitions.find((one) => one.partition === partition) : undefined;
    if (found) return BigInt(found.fetchOffset);
  }
  throw new Error('a broker answered for a partition that was not asked for');
}
