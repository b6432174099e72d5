import type { LookupFunction } from 'node:net';
import { EnvHttpProxyAgent, Pool, type Agent, type Dispatcher } from 'undici';
import { TLS, type ClientTls } from './trust.ts';

/** The tunnel for `https:`, with its login where it wants one. Plain `http:` never goes through it. */
export interface Proxy {
  readonly url?: string | undefined;
  /** Hosts reached without it, as NO_PROXY lists them. */
  readonly bypass: readonly string[];
}

type Limits = 'connections' | 'pipelining' | 'allowH2' | 'connectTimeout' | 'headersTimeout' | 'bodyTimeout';

interface ConnectionOptions extends Pick<Agent.Options, Limits> {
  readonly proxy?: Proxy | undefined;
  /** Towards the hosts themselves, not the proxy. */
  readonly tls?: ClientTls;
  /** Resolves the names of hosts that are reached directly; behind a proxy it is the proxy that resolves. */
  readonly lookup?: LookupFunction;
}

/** As undici has it. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Kept connections to any number of hosts, directly or through the proxy; HTTP/2 with `allowH2` where it is offered. */
export function connections({ proxy, lookup, tls: own = {}, ...limits }: ConnectionOptions): Dispatcher {
  const { connectTimeout = CONNECT_TIMEOUT_MS } = limits;
  const toProxy = { ...TLS, preferH2: limits.allowH2 === true };
  const tls = { ...toProxy, ...own };
  return new EnvHttpProxyAgent({
    ...limits,
    // Empty, not absent: undici would read the environment, which is the application's to read.
    httpProxy: '',
    httpsProxy: proxy?.url ?? '',
    noProxy: proxy?.bypass.join(',') ?? '',
    connect: { ...tls, ...(lookup === undefined ? {} : { lookup }) },
    requestTls: tls,
    proxyTls: toProxy,
    // A proxy that says nothing to the demand for a tunnel is one that cannot be connected to: undici would wait for
    // five minutes, and all who want that connection with it.
    clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: connectTimeout }),
  });
}
