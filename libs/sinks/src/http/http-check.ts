import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { codeOf, networkFault, TLS } from '@genesys-kafka/http';
import { unlessAborted, within } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { sinkUnreachable, type SinkError } from '../errors.ts';
import type { HttpTarget } from './http-options.ts';

/** Opens and closes one connection, TLS handshake included. Rejects with `sink-unreachable` or the signal's reason. */
export async function checkConnection(target: HttpTarget, timeoutMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const address = { host: target.hostname, port: target.port };
  const socket = target.secure
    ? connectTls({ ...TLS, ...address, ...(isIP(target.hostname) ? {} : { servername: target.hostname }) })
    : connectTcp(address);
  const connected = once(socket, target.secure ? 'secureConnect' : 'connect');
  // What goes wrong once nobody waits any more is nobody's concern.
  socket.on('error', () => undefined);
  try {
    await unlessAborted(within(connected, timeoutMs, tooLate), signal);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(target, error);
  } finally {
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
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const { origin, path } = target;
    const { body } = await dispatcher.request({
      origin,
      path,
      method: 'HEAD',
      signal: AbortSignal.any([signal, limit]),
    });
    await body.dump();
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(target, limit.aborted ? tooLate() : error);
  }
}

function tooLate(): Error {
  return Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' });
}

function unreachable({ origin }: HttpTarget, error: unknown): SinkError {
  return sinkUnreachable(
    origin,
    codeOf(error),
    networkFault(error)?.cause === 'tls-refused'
      ? "Check the target's certificate, and name its authority in tls.caFile or NODE_EXTRA_CA_CERTS."
      : "Check the sink's url, that the target (or the proxy before it) runs and that the network allows it.",
  );
}
