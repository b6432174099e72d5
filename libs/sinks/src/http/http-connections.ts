import type { ConnectionOptions } from 'node:tls';
import { EnvHttpProxyAgent, Pool, type Dispatcher } from 'undici';
import type { HttpSinkOptions, HttpTarget } from './http-options.ts';

export interface ConnectionSettings {
  readonly connections: number;
  readonly timeoutMs: number;
  readonly tls: Pick<ConnectionOptions, 'rejectUnauthorized' | 'minVersion' | 'ca'>;
  readonly proxy: HttpSinkOptions['proxy'];
}

/** Only `https:` is tunnelled. Whether the proxy is passed by for this host is undici's to decide. */
export function isProxied(
  { secure }: HttpTarget,
  proxy: HttpSinkOptions['proxy'],
): proxy is NonNullable<HttpSinkOptions['proxy']> {
  return secure && proxy !== undefined;
}

/** Kept connections to one target, directly or through the proxy. */
export function connectionsTo(target: HttpTarget, settings: ConnectionSettings): Dispatcher {
  const { connections, timeoutMs, tls, proxy } = settings;
  const shared = {
    connections,
    pipelining: 1,
    // One delivery per connection: the sink's concurrency is what the target sees.
    allowH2: false,
    connect: { ...tls, timeout: timeoutMs },
    // One timer of the sink covers a delivery from its first byte to the answer's last.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (!isProxied(target, proxy)) return new Pool(target.origin, shared);
  return new EnvHttpProxyAgent({
    ...shared,
    // Empty, not absent: undici would read the environment, which is the application's to read.
    httpProxy: '',
    httpsProxy: proxy.url,
    noProxy: proxy.bypass.join(','),
    requestTls: tls,
    proxyTls: tls,
  });
}
