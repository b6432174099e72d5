import { createRequire } from 'node:module';
import kafkajs, { type Kafka, type Message } from 'kafkajs';
import type { Membership } from './group/tenure.ts';
import { decodeFetchResponse, type FetchedPartition, type FetchResponse } from '../wire/fetch-response.ts';
import { PRODUCE_VERSION } from '../wire/produce-request.ts';
import {
  decodeTopicId,
  decodeTopicRights,
  encodeTopicIdRequest,
  TOPIC_ID_METADATA_VERSION,
  type TopicRights,
} from '../wire/topic-id.ts';

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
  /** A number where it was learnt from an answer. */
  findBroker(broker: { readonly nodeId: string | number }): Promise<Broker>;
  findGroupCoordinator(group: { readonly groupId: string; readonly coordinatorType?: 0 | 1 }): Promise<Broker>;
  readonly brokerPool: {
    readonly seedBroker?: { connect(): Promise<void> };
    connect(): Promise<void>;
    connectBroker(): Promise<void>;
    createSeedBroker(): Promise<void>;
  };
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly fromBeginning: boolean;
      readonly partitions: readonly { readonly partition: number }[];
    }[],
  ): Promise<{ readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>;
}

export interface ProtocolRequest<T> {
  readonly request: object;
  readonly response: { decode(body: Buffer): Promise<T> | T; parse(decoded: T): Promise<T> | T };
  readonly requestTimeout?: number;
}

/** What a producer asks of the broker that coordinates its transactions. */
export interface TransactionCoordinator {
  initProducerId(request: unknown): Promise<unknown>;
  addPartitionsToTxn(call: EnrolCall): Promise<unknown>;
  endTxn(request: unknown): Promise<unknown>;
}

/** Partitions that a transaction is about to write to. */
export interface EnrolCall {
  readonly transactionalId: string;
  readonly producerId: unknown;
  readonly producerEpoch: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

export interface Broker extends TransactionCoordinator {
  readonly nodeId: number;
  /** How a group of kafkajs's reads. */
  fetch(request: GroupFetchRequest): Promise<GroupFetchResponse>;
  /** How it stays a member, commits, and asks for its part: of its coordinator alone. */
  heartbeat(request: unknown): Promise<unknown>;
  offsetCommit(request: unknown): Promise<unknown>;
  syncGroup(request: { readonly memberId: string; readonly generationId: number }): Promise<unknown>;
  /** Which broker coordinates a group (0) or a transactional id (1); rejects where the login may not know. */
  findGroupCoordinator(of: { readonly groupId: string; readonly coordinatorType: 0 | 1 }): Promise<{
    readonly coordinator: { readonly nodeId: number };
  }>;
  disconnect(): Promise<void>;
  /** What the broker speaks, by the request's number. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>>;
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

/** What a group of kafkajs's asks a broker for. */
export interface GroupFetchRequest {
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
  readonly rackId: string;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: string;
      readonly maxBytes: number;
    }[];
  }[];
}

/** What it makes its batches of: `messages` are handed on as they are. */
export interface GroupFetchResponse {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly highWatermark: string;
      readonly abortedTransactions: readonly never[];
      readonly messages: readonly { readonly offset: string; readonly isControlRecord: false }[];
    }[];
  }[];
}

/** What its producer asks a broker for, of the sends that are made here (see send-batches.ts). */
export interface ProduceCall {
  readonly transactionalId?: string | undefined;
  /** A number in decimal, or an object that prints as one. */
  readonly producerId: unknown;
  readonly producerEpoch: number;
  readonly timeout: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence: number;
      readonly messages: readonly Message[];
    }[];
  }[];
}

/** A broker's answer, without an error: entries by topic and partition. */
export interface ProduceAnswer {
  readonly topics: readonly object[];
}

type ProduceProtocol = (version: { readonly version: number }) => (call: ProduceCall) => ProtocolRequest<ProduceAnswer>;
type FetchProtocol = (version: { readonly version: number }) => (body: unknown) => ProtocolRequest<unknown>;
type ErrorFromCode = (code: number) => Error;

const require = createRequire(import.meta.url);
const fetchProtocol = (require('kafkajs/src/protocol/requests/fetch') as { protocol: FetchProtocol }).protocol;
const produceVersions = (require('kafkajs/src/protocol/requests/produce') as { protocol: ProduceProtocol }).protocol;
const protocolErrors = require('kafkajs/src/protocol/error') as { createErrorFromCode: ErrorFromCode };

const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;
const METADATA = 3;
const UNKNOWN_SERVER_ERROR = -1;
const NOT_COORDINATOR = 16;
const ILLEGAL_GENERATION = 22;
const REBALANCE_IN_PROGRESS = 27;
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
  const { make } = clusterMaker(kafka);
  const isolationLevel = isolation === 'read_committed' ? READ_COMMITTED : READ_UNCOMMITTED;
  return make({ allowAutoTopicCreation: false, isolationLevel, metadataMaxAge: 300_000 });
}

/** What a group of kafkajs's does in our way. */
export interface GroupRequests {
  fetch(broker: Broker, request: GroupFetchRequest): Promise<GroupFetchResponse>;
  /** Asked in the course of each attempt of a commit. */
  isCommitWanted(): boolean;
  /** Asked before each heartbeat: whether the group has been told to join again, and has not. */
  isJoinDue(): boolean;
  /** A heartbeat was answered. */
  onHeartbeat(): void;
  /** Asked for its part: the next assignment is this membership's. */
  onSync(membership: Membership): void;
}

/** Has the group of `kafka` that is made next ask its brokers through `requests`. */
export function replaceRequests(kafka: Kafka, requests: GroupRequests): { endConnecting(): void } {
  const { make, replace } = clusterMaker(kafka);
  let cluster: Cluster | undefined;
  replace((options) => {
    const group = make(options);
    const find = group.findBroker.bind(group);
    group.findBroker = async (which) => {
      const broker = await find(which);
      const own = Object.getPrototypeOf(broker) as Broker;
      broker.fetch = async (request) => {
        try {
          return await requests.fetch(broker, request);
        } catch (error) {
          // As where no connection comes about: something in front of a broker that is gone may still answer.
          if ((error as Error).name === 'KafkaJSConnectionError') await group.refreshMetadata();
          throw error;
        }
      };
      broker.heartbeat = async (request) => {
        // Where joining has failed, as at a coordinator that is still loading, kafkajs goes on without a word.
        if (requests.isJoinDue()) throw protocolError(REBALANCE_IN_PROGRESS);
        const answer = await own.heartbeat.call(broker, request).catch(lookElsewhere);
        requests.onHeartbeat();
        return answer;
      };
      broker.syncGroup = async (request) => {
        requests.onSync({ memberId: request.memberId, generation: request.generationId });
        return own.syncGroup.call(broker, request);
      };
      broker.offsetCommit = async (request) => {
        if (!requests.isCommitWanted()) throw protocolError(ILLEGAL_GENERATION);
        return own.offsetCommit.call(broker, request);
      };
      return broker;
    };
    cluster = group;
    return group;
  });
  return {
    // What was asked for before the group was stopped would go on for as long as the group's patience.
    endConnecting: () => {
      const refuse = () => Promise.reject(new kafkajs.KafkaJSNonRetriableError('The group has been stopped'));
      if (!cluster) return;
      Object.assign(cluster.brokerPool, { connect: refuse, connectBroker: refuse, createSeedBroker: refuse });
      if (cluster.brokerPool.seedBroker) cluster.brokerPool.seedBroker.connect = refuse;
    },
  };
}

/**
 * kafkajs asks a coordinator that is gone again and again, until it is back or patience ends, and nothing is committed for
 * so long. Told that it is not the coordinator any more, it finds the new one and joins there.
 */
function lookElsewhere(error: Error): never {
  // The second one where something stands in front of the broker, and is still there.
  const isGone = ['KafkaJSConnectionError', 'KafkaJSConnectionClosedError'].includes(error.name);
  throw isGone ? protocolError(NOT_COORDINATOR) : error;
}

/** kafkajs's own request, yet to be encoded, and how its answer is read. */
export function produceProtocol(call: ProduceCall): ProtocolRequest<ProduceAnswer> {
  return produceVersions({ version: PRODUCE_VERSION })(call);
}

/** One Fetch of one partition, read_committed; rejects with kafkajs's error for the partition's error code. */
export async function fetchPartition(broker: Broker, fetch: FetchRequest): Promise<FetchedPartition> {
  const { topic, partition, fetchOffset, maxBytes } = fetch;
  const [fetched] = await fetchRaw(broker, {
    maxWaitTime: fetch.maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: READ_COMMITTED,
    rackId: '',
    topics: [{ topic, partitions: [{ partition, fetchOffset, maxBytes }] }],
  });
  if (!fetched) throw protocolError(UNKNOWN_SERVER_ERROR);
  if (fetched.errorCode !== 0) throw protocolError(fetched.errorCode);
  return fetched;
}

/**
 * One Fetch with the record batches left as bytes: kafkajs's own decoder drops the batch headers, which say how far a
 * compacted or an empty batch reaches, and takes a time quadratic in a record's headers.
 */
export async function fetchRaw(broker: Broker, fetch: GroupFetchRequest): Promise<readonly FetchedPartition[]> {
  const { request } = fetchProtocol({ version: FETCH_VERSION })(fetch);
  const { errorCode, partitions } = await broker.connectionPool.send<FetchResponse>({
    request,
    response: { decode: decodeFetchResponse, parse: (decoded) => decoded },
    requestTimeout: fetch.maxWaitTime + 5000,
  });
  if (errorCode !== 0) throw protocolError(errorCode);
  return partitions;
}

/** A topic's id; undefined where the broker is too old to give one or knows no such topic. */
export async function fetchTopicId(broker: Broker, topic: string): Promise<string | undefined> {
  return fetchTopicMetadata(broker, encodeTopicIdRequest(topic), decodeTopicId);
}

/** What this login may do to a topic; undefined where the broker is too old to tell or knows no such topic. */
export async function fetchTopicRights(broker: Broker, topic: string): Promise<TopicRights | undefined> {
  return fetchTopicMetadata(broker, encodeTopicIdRequest(topic, true), decodeTopicRights);
}

/** A request's body that is encoded already: all that kafkajs asks of an encoder that it puts into another one. */
export function asEncoder(bytes: Buffer): { readonly buf: Buffer; readonly buffer: Buffer } {
  return { buf: bytes, buffer: bytes };
}

async function fetchTopicMetadata<T>(
  broker: Broker,
  body: Buffer,
  read: (answer: Buffer) => T | undefined,
): Promise<T | undefined> {
  if ((broker.versions[METADATA]?.maxVersion ?? 0) < TOPIC_ID_METADATA_VERSION) return undefined;
  const encode = async () => asEncoder(body);
  const request = { apiKey: METADATA, apiName: 'Metadata', apiVersion: TOPIC_ID_METADATA_VERSION, encode };
  // An object, since kafkajs looks for a throttle time in what is decoded.
  const decode = (answer: Buffer) => ({ found: read(answer) });
  const { found } = await broker.connectionPool.send({ request, response: { decode, parse: (decoded) => decoded } });
  return found;
}

type MakeCluster = (options: unknown) => Cluster;

/** How `kafka` makes its next cluster, and a way to have it made otherwise. */
export function clusterMaker(kafka: Kafka): {
  readonly make: MakeCluster;
  readonly replace: (make: MakeCluster) => void;
} {
  const symbol = Object.getOwnPropertySymbols(kafka).find((key) => key.description === 'private:Kafka:createCluster');
  if (!symbol) throw new Error('kafkajs is not the version that is pinned: no createCluster');
  const inside = kafka as unknown as Record<symbol, MakeCluster>;
  return {
    make: inside[symbol]!,
    replace: (make) => {
      inside[symbol] = make;
    },
  };
}
