import { createRequire } from 'node:module';
import type { Kafka } from 'kafkajs';
import { decodeFetchResponse, type FetchedPartition } from '../wire/fetch-response.ts';

/**
 * The brokers as kafkajs knows them, behind its back (see taps.ts): kafkajs has no `assign()`, and a throw-away group
 * costs the cluster's `group.initial.rebalance.delay.ms` and leaves a group behind.
 */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  removeBroker(broker: { readonly host: string; readonly port: number }): void;
  getNodeIds(): string[];
  /** Node ids by partition, `{ '2': [0, 5] }`; a partition without metadata is left out. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>;
  findBroker(broker: { readonly nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly fromBeginning: boolean;
      readonly partitions: readonly { readonly partition: number }[];
    }[],
  ): Promise<{ readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>;
}

interface ProtocolRequest<T> {
  readonly request: unknown;
  readonly response: { decode(body: Buffer): Promise<T> | T; parse(decoded: T): Promise<T> | T };
  readonly requestTimeout?: number;
}

export interface Broker {
  /** Rejects where this broker does not know a topic, or no leader of it. */
  metadata(topics: readonly string[]): Promise<unknown>;
  readonly connectionPool: { send<T>(request: ProtocolRequest<T>): Promise<T> };
}

export interface FetchRequest {
  readonly topic: string;
  readonly partition: number;
  readonly fetchOffset: string;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

type FetchProtocol = (version: { readonly version: number }) => (body: unknown) => ProtocolRequest<unknown>;
type ErrorFromCode = (code: number) => Error;

const require = createRequire(import.meta.url);
const fetchProtocol = (require('kafkajs/src/protocol/requests/fetch') as { protocol: FetchProtocol }).protocol;
const protocolErrors = require('kafkajs/src/protocol/error') as { createErrorFromCode: ErrorFromCode };

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
/** Spoken by Kafka 2.3 to 4.x; the newest that kafkajs encodes. */
const FETCH_VERSION = 11;

/** kafkajs's error for a protocol error code, with its `type` and `retriable`. */
export function protocolError(code: number): Error {
  return protocolErrors.createErrorFromCode(code);
}

/** Connections of its own to the brokers, with the settings of `kafka`. */
export function createCluster(
  kafka: Kafka,
  isolation: 'read_committed' | 'read_uncommitted' = 'read_committed',
): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find((key) => key.description === 'private:Kafka:createCluster');
  if (!symbol) throw new Error('kafkajs is not the version that is pinned: no createCluster');
  const create = (kafka as unknown as Record<symbol, (options: unknown) => Cluster>)[symbol]!;
  return create({
    allowAutoTopicCreation: false,
    isolationLevel: isolation === 'read_committed' ? READ_COMMITTED : READ_UNCOMMITTED,
    metadataMaxAge: 300_000,
  });
}

/**
 * One Fetch of one partition, read_committed, with the record batches left as bytes: kafkajs's own decoder drops the
 * batch headers, which say how far a compacted or an empty batch reaches.
 */
export async function fetchPartition(broker: Broker, fetch: FetchRequest): Promise<FetchedPartition> {
  const { request } = fetchProtocol({ version: FETCH_VERSION })({
    maxWaitTime: fetch.maxWaitMs,
    minBytes: 1,
    maxBytes: fetch.maxBytes,
    isolationLevel: READ_COMMITTED,
    rackId: '',
    topics: [
      {
        topic: fetch.topic,
        partitions: [{ partition: fetch.partition, fetchOffset: fetch.fetchOffset, maxBytes: fetch.maxBytes }],
      },
    ],
  });
  return broker.connectionPool.send<FetchedPartition>({
    request,
    response: { decode: decodeFetchResponse, parse: (decoded) => decoded },
    requestTimeout: fetch.maxWaitMs + 5000,
  });
}
