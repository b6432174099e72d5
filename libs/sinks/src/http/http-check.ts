import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Dispatcher } from 'undici';
import { sinkUnreachable, type SinkError } from '../errors.ts';
import { codeOf, isTlsRefusal } from './http-failure.ts';
import type { HttpTarget } from './http-options.ts';

/** Opens and closes one connection, TLS handshake included. Rejects with `sink-unreachable` or the signal's reason. */
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
  const fail = (code: string) => reject(unreachable(target, code));
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

/** Asks for the head of the target through the proxy; any answer will do, since it has come through the tunnel. */
export async function checkThroughProxy(
  target: HttpTarget,
  dispatcher: Dispatcher,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const { origin, path } = target;
    const { body } = await dispatcher.request({ origin, path, method: 'HEAD', signal: within });
    await body.dump();
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(target, within.aborted ? 'timeout' : codeOf(error));
  }
}

function unreachable({ origin }: HttpTarget, code: string): SinkError {
  return sinkUnreachable(
    origin,
    code,
    isTlsRefusal(code)
      ? "Check the target's certificate, and name its authority in tls.caFile or NODE_EXTRA_CA_CERTS."
      : "Check the sink's url, that the target (or the proxy before it) runs and that the network allows it.",
  );
}
