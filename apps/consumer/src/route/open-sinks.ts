import { SinkGate, type Sink } from '@genesys-kafka/delivery';
import { createSink, type SinkConfig } from '@genesys-kafka/sinks';
import type { Settings, SinkSettings } from '../settings.ts';

export interface OpenSink {
  readonly sink: Sink;
  /** Shared by all routes of the sink. */
  readonly gate: SinkGate;
}

export interface OpenSinks extends AsyncDisposable {
  readonly byName: ReadonlyMap<string, OpenSink>;
}

/** The sinks that routes name; one that no route uses is not opened. */
export function openSinks(settings: Settings): OpenSinks {
  const names = new Set(settings.routes.map(({ sink }) => sink));
  const byName = new Map(
    [...names].map((name) => {
      const config = settings.sinks[name]!;
      const sink = createSink(sinkConfig(name, config, settings));
      return [name, { sink, gate: gateOf(config, sink) }] as const;
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

function sinkConfig(name: string, config: SinkSettings, { tls, proxy }: Settings): SinkConfig {
  switch (config.type) {
    case 'http': {
      const { url, headers, timeoutMs, concurrency } = config;
      const { allowInsecureHttp } = tls;
      const { url: proxyUrl, bypass } = proxy;
      return {
        type: 'http',
        name,
        url,
        headers,
        timeoutMs,
        maxConnections: concurrency,
        allowInsecureHttp,
        ...(proxyUrl === undefined ? {} : { proxy: { url: proxyUrl, bypass } }),
      };
    }
    case 'file':
      return { type: 'file', path: config.path };
  }
}

function gateOf(settings: SinkSettings, { maxRequests = settings.concurrency }: Sink): SinkGate {
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
