import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { codeOf, networkFault, TLS, type ClientTls } from '@genesys-kafka/http';
import { unlessAborted, within } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { SinkError } from '../errors.ts';
import type { HttpTarget } from './http-options.ts';

/** Opens and closes one connection, TLS handshake included. Rejects with `sink-unreachable` or the signal's reason. */
export async function checkConnection(
  target: HttpTarget,
  { tls, timeoutMs, signal }: { readonly tls: ClientTls; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  signal.throwIfAborted();
  const address = { host: target.hostname, port: target.port };
  const socket = target.secure
    ? connectTls({ ...TLS, ...tls, ...address, ...(isIP(target.hostname) ? {} : { servername: target.hostname }) })
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

/**
 * Asks for the head of a path of the target. Any answer will do: it has come through the proxy's tunnel, and past the
 * check of our certificate.
 */
export async function checkWithRequest(
  target: HttpTarget,
  {
    dispatcher,
    path,
    timeoutMs,
    signal,
  }: {
    readonly dispatcher: Dispatcher;
    readonly path: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  signal.throwIfAborted();
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const { body } = await dispatcher.request({
      origin: target.origin,
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
