import { connections, type Proxy } from '@genesys-kafka/http/connections';
import type { Dispatcher } from 'undici';
import type { LinkRules } from './link-rules.ts';

/** The connections of one download; addresses that the rules forbid are not connected to. */
export function downloadConnections(proxy: Proxy | undefined, { lookup }: LinkRules): Dispatcher {
  return connections({
    proxy,
    lookup,
    connections: 1,
    // One long body has nothing to share a connection with, and HTTP/2's windows would only slow it down.
    allowH2: false,
    // The watchdog judges stalls, by the injected clock.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
