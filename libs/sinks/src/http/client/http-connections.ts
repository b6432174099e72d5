import { TLS, type ClientTls, type Proxy } from '@genesys-kafka/http';
import { connections } from '@genesys-kafka/http/connections';
import { Pool, type Dispatcher } from 'undici';
import type { HttpTarget } from '../http-options.ts';

/** Only `https:` is tunnelled. Whether the proxy is passed by for this host is undici's to decide. */
export function isProxied({ secure }: HttpTarget, proxy: Proxy | undefined): boolean {
  return secure && proxy?.url !== undefined;
}

/** Kept connections to the target, directly or through the proxy. */
export function connectionsTo(
  target: HttpTarget,
  options: {
    readonly connections: number;
    readonly timeoutMs: number;
    readonly proxy: Proxy | undefined;
    readonly tls: ClientTls;
  },
): Dispatcher {
  const limits = {
    connections: options.connections,
    pipelining: 1,
    // One delivery per connection: the sink's concurrency is what the target sees.
    allowH2: false,
    connectTimeout: options.timeoutMs,
    // One timer of the sink covers a delivery from its first byte to the answer's last.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (isProxied(target, options.proxy)) return connections({ proxy: options.proxy, tls: options.tls, ...limits });
  return new Pool(target.origin, { ...limits, connect: { ...TLS, ...options.tls } });
}
