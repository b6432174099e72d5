import type { ClientIdentity } from '@genesys-kafka/http';
import { Kafka, type KafkaConfig, type RetryOptions, type SASLOptions } from 'kafkajs';
import { KAFKA_DEFAULTS } from '../settings.ts';
import type { KafkaCompression } from '../wire/codecs.ts';
import { bridgeLogs, type KafkaLogger } from './log-bridge.ts';
import { createSocketFactory } from './socket-factory.ts';

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaClientOptions {
  /** Shows in the brokers' logs and quotas. */
  readonly clientId: string;
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** TLS; `ca` is PEM text of the authorities to trust instead of Node's own. Default off. */
  readonly ssl?: boolean | { readonly ca?: string | Buffer };
  /** Shown to brokers that ask for a certificate. */
  readonly identity?: ClientIdentity;
  readonly sasl?: KafkaSasl;
  /** Lets a login go to other machines than this one without TLS; default false. */
  readonly allowInsecureLogin?: boolean;
  /** How long one request may take before it counts as lost; default as `kafka.requestTimeout`. */
  readonly requestTimeoutMs?: number;
  /** Of what is produced; every codec is read. Default as `kafka.compression`. */
  readonly compression?: KafkaCompression;
  readonly logger?: KafkaLogger;
  /** The most that what one fetch brings may unpack to; default 64 MiB. */
  readonly maxDecompressedBytes?: number;
  /** After how long the broker aborts an open transaction on its own; default 30000 ms. */
  readonly transactionTimeoutMs?: number;
  /** How long one send, commit or abort may take with all its attempts; default 25000 ms. */
  readonly deliveryTimeoutMs?: number;
}

export interface Connection {
  readonly brokers: string;
  readonly requestTimeoutMs: number;
  readonly compression: KafkaCompression;
  readonly maxDecompressedBytes: number;
  readonly transactionTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  readonly log: KafkaLogger;
  /**
   * A kafkajs client of its own. Never shared between two members of a group: kafkajs keeps the committed offsets of a
   * group in the client, so two members would overwrite each other's.
   */
  kafka(retry?: RetryOptions): Kafka;
}

const MIB = 1024 * 1024;
/** About 3 s in all, then the caller hears of it; long outages are waited out above. */
const CONNECT_RETRY: RetryOptions = { initialRetryTime: 100, maxRetryTime: 1000, retries: 5 };

export function createConnection(options: KafkaClientOptions): Connection {
  const requestTimeoutMs = options.requestTimeoutMs ?? KAFKA_DEFAULTS.requestTimeout;
  const log: KafkaLogger = options.logger ?? (() => undefined);
  const config: KafkaConfig = {
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: Math.min(requestTimeoutMs, 5000),
    requestTimeout: requestTimeoutMs,
    ...bridgeLogs(log),
    socketFactory: createSocketFactory({
      refusesPlaintext: options.sasl !== undefined && options.allowInsecureLogin !== true,
      identity: () =>
        options.identity?.now((error) => log('warn', 'the last certificate is used', { reason: String(error) })),
    }),
    ...(options.ssl === undefined ? {} : { ssl: tlsOptions(options.ssl) }),
    ...(options.sasl === undefined ? {} : { sasl: saslOptions(options.sasl) }),
  };
  return {
    brokers: options.brokers.join(', '),
    requestTimeoutMs,
    compression: options.compression ?? KAFKA_DEFAULTS.compression,
    maxDecompressedBytes: options.maxDecompressedBytes ?? 64 * MIB,
    transactionTimeoutMs: options.transactionTimeoutMs ?? 30_000,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 25_000,
    log,
    kafka: (retry) => new Kafka({ ...config, retry: { ...CONNECT_RETRY, ...retry } }),
  };
}

function tlsOptions(ssl: Exclude<KafkaClientOptions['ssl'], undefined>): NonNullable<KafkaConfig['ssl']> {
  if (typeof ssl === 'boolean') return ssl;
  return ssl.ca === undefined ? {} : { ca: ssl.ca };
}

function saslOptions({ mechanism, username, password }: KafkaSasl): SASLOptions {
  return { mechanism, username, password };
}
