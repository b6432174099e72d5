import { SinkGate, type Sink } from '@genesys-kafka/delivery';
import { connectObjectStore } from '@genesys-kafka/object-store';
import { createSink, S3Sink, type SinkConfig } from '@genesys-kafka/sinks';
import type { Settings, SinkSettings } from '../settings.ts';

/** A sink whose records are delivered one by one or in batches, at least once, or one that takes whole batches exactly once. */
export type OpenSink = { readonly gate: SinkGate } & (
  { readonly kind: 'records'; readonly sink: Sink } | { readonly kind: 'objects'; readonly sink: S3Sink }
);

export interface OpenSinks extends AsyncDisposable {
  readonly byName: ReadonlyMap<string, OpenSink>;
}

/** The sinks that routes name; one that no route uses is not opened. */
export function openSinks(settings: Settings): OpenSinks {
  const names = new Set(settings.routes.map(({ sink }) => sink));
  const byName = new Map(
    [...names].map((name) => {
      return [name, openSink(name, settings.sinks[name]!, settings)] as const;
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
function openSink(name: string, config: SinkSettings, settings: Settings): OpenSink {
  if (config.type === 's3') {
    const { endpoint = 'AWS', bucket, prefix, batch } = config;
    const connect = async () => connectObjectStore(config, proxyOf(settings));
    const sink = new S3Sink({ endpoint, bucket, prefix, batch, connect });
    return { kind: 'objects', sink, gate: gateOf(config) };
  }
  const sink = createSink(sinkConfig(name, config, settings));
  return { kind: 'records', sink, gate: gateOf(config, sink) };
}

function proxyOf({ proxy: { url, bypass } }: Settings) {
  return url === undefined ? undefined : { url, bypass };
}

function sinkConfig(name: string, config: Exclude<SinkSettings, { type: 's3' }>, settings: Settings): SinkConfig {
  switch (config.type) {
    case 'http': {
      const { url, headers, timeoutMs, concurrency } = config;
      const { allowInsecureHttp } = settings.tls;
      const proxy = proxyOf(settings);
      return {
        type: 'http',
        name,
        url,
        headers,
        timeoutMs,
        maxConnections: concurrency,
        allowInsecureHttp,
        ...(proxy === undefined ? {} : { proxy }),
      };
    }
    case 'file':
      return { type: 'file', path: config.path };
  }
}

function gateOf(
  { concurrency, rate, breaker }: SinkSettings,
  { maxRequests = concurrency }: Pick<Sink, 'maxRequests'> = {},
): SinkGate {
  const { errorsRatio, over, cooldownMs, maxWaitMs } = breaker;
  return new SinkGate({
    concurrency: Math.min(concurrency, maxRequests),
    breaker: { errors: errorsRatio, over, cooldownMs, maxWaitMs },
    ...(rate === undefined ? {} : { rate }),
  });
}
