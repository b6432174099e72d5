import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { SinkUnreachableError } from './errors.ts';
import { codeOf, isTlsRefusal } from './http-failure.ts';
import type { HttpTarget } from './http-options.ts';

/** Opens and closes one connection, TLS handshake included. Rejects with `SinkUnreachableError` or the signal's reason. */
export async function checkConnection(
  target: HttpTarget,
  tls: ConnectionOptions,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const address = { host: target.hostname, port: target.port };
  const socket = target.secure
    ? connectTls({ ...tls, ...address, ...(isIP(target.hostname) ? {} : { servername: target.hostname }) })
    : connectTcp(address);
  const fail = (code: string) =>
    reject(
      new SinkUnreachableError(
        target.origin,
        code,
        isTlsRefusal(code)
          ? "Check the target's certificate and the sink's `ca`."
          : "Check the sink's url, that the target runs and that the network allows it.",
      ),
    );
  const onAbort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.setTimeout(timeoutMs, () => fail('timeout'));
  socket.once(target.secure ? 'secureConnect' : 'connect', () => resolve(undefined));
  socket.on('error', (error) => fail(codeOf(error)));
  socket.once('close', () => fail('ECONNRESET'));
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}
