import { SinkGate, type Sink } from '@genesys-kafka/delivery';
import { connectKafka } from '@genesys-kafka/kafka';
import { connectObjectStore } from '@genesys-kafka/object-store';
import { createSink, S3Sink, type SinkConfig } from '@genesys-kafka/sinks';
import { groupIdOf } from '@genesys-kafka/routing';
import type { Logger } from '@genesys-kafka/runtime';
import { topicSpecs } from '@genesys-kafka/topics';
import { KafkaSink } from '../exact/kafka-sink.ts';
import { consumerSpecs } from '../forward/topics.ts';
import type { Settings, SinkSettings } from '../settings.ts';

/** A sink whose records are delivered one by one or in batches, at least once, or one that takes whole batches exactly once. */
export type OpenSink = { readonly gate: SinkGate } & (
  | { readonly kind: 'records'; readonly sink: Sink }
  | { readonly kind: 'objects'; readonly sink: S3Sink }
  | { readonly kind: 'topic'; readonly sink: KafkaSink }
);

export interface OpenSinks extends AsyncDisposable {
  readonly byName: ReadonlyMap<string, OpenSink>;
}

/** The sinks that routes name; one that no route uses is not opened. */
export function openSinks(settings: Settings, log: Logger): OpenSinks {
  const names = new Set(settings.routes.map(({ sink }) => sink));
  const byName = new Map(
    [...names].map((name) => {
      return [name, openSink(name, settings.sinks[name]!, settings, log)] as const;
    }),
  );
  return {
    byName,
    [Symbol.asyncDispose]: async () => {
      for (const { gate } of byName.values()) gate.close();
      await Promise.all([...byName.values()].map(async ({ sink }) => sink.close()));
    },
  };
}

/** The gate is shared by all routes of the sink. */
function openSink(name: string, config: SinkSettings, settings: Settings, log: Logger): OpenSink {
  if (config.type === 's3') {
    const { endpoint = 'AWS', bucket, prefix, batch } = config;
    const connect = async () => connectObjectStore(config, proxyOf(settings), `sinks.${name}`);
    const sink = new S3Sink({ endpoint, bucket, prefix, batch, connect });
    return { kind: 'objects', sink, gate: gateOf(config) };
  }
  if (config.type === 'kafka')
    return { kind: 'topic', sink: kafkaSink(name, config, settings, log), gate: gateOf(config) };
  const sink = createSink(sinkConfig(name, config, settings));
  return { kind: 'records', sink, gate: gateOf(config, sink) };
}

function kafkaSink(
  name: string,
  config: Extract<SinkSettings, { type: 'kafka' }>,
  settings: Settings,
  log: Logger,
): KafkaSink {
  const { brokers, topic, frame, batch, compression, requestTimeoutMs } = config;
  const { kafka } = settings;
  // Another cluster has a login of its own.
  const there = brokers && {
    brokers,
    ssl: config.ssl,
    tls: config.tls,
    sasl: config.sasl,
    allowInsecureLogin: config.allowInsecureLogin,
  };
  const section = brokers ? `sinks.${name}` : 'kafka';
  const client = connectKafka(
    { ...settings, kafka: { ...kafka, ...there, compression, requestTimeoutMs } },
    log,
    section,
  );
  const { positions, ledger, digests } = topicSpecs({ prefix: kafka.topicPrefix });
  const { main, retries, replays, deadLetters } = consumerSpecs(settings);
  const routes = settings.routes.filter(({ sink }) => sink === name);
  return new KafkaSink({
    ...{ name, client, topic, positions, frame, batch, compression },
    isOwnCluster: brokers === undefined,
    ownTopics: brokers
      ? [positions.name]
      : [main, ...retries, replays, deadLetters, positions, ledger, digests].map((own) => own.name),
    transactionalIds: routes.map((route) => `${groupIdOf(settings, route.name)}.${main.name}-0`),
  });
}

function proxyOf({ proxy: { url, bypass } }: Settings) {
  return url === undefined ? undefined : { url, bypass };
}

function sinkConfig(
  name: string,
  config: Exclude<SinkSettings, { type: 's3' | 'kafka' }>,
  settings: Settings,
): SinkConfig {
  switch (config.type) {
    case 'http': {
      const { concurrency, rate: _rate, breaker: _breaker, ...own } = config;
      const proxy = proxyOf(settings);
      return {
        ...own,
        name,
        maxConnections: concurrency,
        allowInsecureHttp: settings.tls.allowInsecureHttp,
        ...(proxy === undefined ? {} : { proxy }),
      };
    }
    case 'file':
      return { type: 'file', path: config.path, rotate: config.rotate, sync: config.sync };
    case 'postgres': {
      const { concurrency: maxConnections, ...options } = config;
      return { ...options, name, maxConnections };
    }
  }
}

function gateOf(
  settings: SinkSettings,
  { maxRequests = settings.concurrency }: Pick<Sink, 'maxRequests'> = {},
): SinkGate {
  const { concurrency, rate, rateFloor, weights, replayShare, breaker } = settings;
  const { errorsRatio, over, cooldownMs, maxWaitMs } = breaker;
  return new SinkGate({
    concurrency: Math.min(concurrency, maxRequests),
    breaker: { errors: errorsRatio, over, cooldownMs, maxWaitMs },
    rateFloor,
    shares: { weights, replay: replayShare },
    ...(rate === undefined ? {} : { rate }),
  });
}
