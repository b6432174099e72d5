import { getCACertificates } from 'node:tls';
import { EnvHttpProxyAgent, type Dispatcher } from 'undici';
import type { Settings } from './options.ts';

/**
 * The connections to the API and the login host: kept alive, HTTP/2 when the server offers it, through the proxy where
 * there is one, TLS always verified. A custom CA adds to the trusted ones, it does not replace them.
 */
export function connections(settings: Settings): Dispatcher {
  const tls = {
    // Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch it off.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2' as const,
    preferH2: true,
    ...(settings.ca === undefined ? {} : { ca: [...getCACertificates('default'), settings.ca] }),
  };
  return new EnvHttpProxyAgent({
    // Empty, not absent: undici would read the environment, which is the application's to read. Only loopback and
    // hosts of `allowInsecureHttp` speak plain http:, and those are never behind a proxy.
    httpProxy: '',
    httpsProxy: settings.httpsProxy ?? '',
    noProxy: settings.noProxy ?? '',
    connections: settings.maxConnections,
    allowH2: true,
    connectTimeout: settings.connectTimeoutMs,
    headersTimeout: settings.headersTimeoutMs,
    bodyTimeout: settings.bodyIdleTimeoutMs,
    connect: { ...tls, timeout: settings.connectTimeoutMs },
    requestTls: tls,
    proxyTls: tls,
  });
}
