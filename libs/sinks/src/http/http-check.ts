import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { codeOf, networkFault, TLS } from '@genesys-kafka/http';
import { unlessAborted, within } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { SinkError } from '../errors.ts';
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
  const fault = networkFault(error);
  const cause = codeOf(error);
  return new SinkError(
    fault?.retry === false ? 'sink-refused' : 'sink-unreachable',
    `Cannot connect to ${origin} (${cause}).`,
    {
      ...(fault?.cause === 'proxy-refused'
        ? { remedy: 'Have the proxy let this target through, or set NO_PROXY.' }
        : {}),
      details: { target: origin, cause },
    },
  );
}
