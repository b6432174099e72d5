import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { KeyPair } from './certificates.ts';

export interface TlsListener extends AsyncDisposable {
  /** `host:port` */
  readonly address: string;
  /** Connections taken, and those whose handshake came to its end. */
  readonly counts: { connections: number; trusted: number };
}

/** Speaks TLS and nothing in it: enough where a client is to end the handshake, or with `version` to find none in common. */
export async function tlsListener(pair: KeyPair, version?: 'TLSv1.1'): Promise<TlsListener> {
  const old = version === undefined ? {} : { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
  const counts = { connections: 0, trusted: 0 };
  const open = new Set<TLSSocket>();
  const server = createServer({ ...pair, ...old }, (socket) => {
    counts.trusted += 1;
    open.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('connection', () => (counts.connections += 1));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
