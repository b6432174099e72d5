import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { codeOf, headerOf, networkFault, TLS, type ClientTls, type NetworkFault } from '@genesys-kafka/http';
import { unlessAborted, within } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { SinkError } from '../errors.ts';
import { kindOfAnswer } from './answer/http-answer.ts';
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
 * Asks for the head of a path of the target. Nearly any answer will do: it has come through the proxy's tunnel, and past
 * the check of our certificate, which some targets close the connection for, and nginx answers with a page and 400.
 */
export async function checkWithRequest(
  target: HttpTarget,
  request: {
    readonly dispatcher: Dispatcher;
    readonly path: string;
    /** Whether we show a certificate. */
    readonly isCertified: boolean;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { dispatcher, path, isCertified, signal } = request;
  signal.throwIfAborted();
  const limit = AbortSignal.timeout(request.timeoutMs);
  let answer: Dispatcher.ResponseData;
  try {
    answer = await dispatcher.request({
      origin: target.origin,
      path,
      method: 'HEAD',
      signal: AbortSignal.any([signal, limit]),
    });
    await answer.body.dump();
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(target, limit.aborted ? tooLate() : error, isCertified);
  }
  const isPage = kindOfAnswer(headerOf(answer.headers, 'content-type')) === 'html';
  if (isCertified && answer.statusCode === 400 && isPage)
    throw new SinkError('sink-refused', `${target.origin} answers 400 with a page of HTML.`, {
      remedy: CERTIFICATE_REMEDY,
      details: { target: target.origin, cause: 'http-400' },
    });
}

const CERTIFICATE_REMEDY = 'See whether the target takes the certificate in tls.certFile: whose it is, and until when.';

function tooLate(): Error {
  return Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' });
}

/** Whose certificate it is about: the target says what it thinks of ours by an alert, or by closing the connection. */
function mayBeAboutOurs({ cause, code }: NetworkFault): boolean {
  return cause === 'connection-reset' || (cause === 'tls-refused' && code.includes('ALERT'));
}

function unreachable({ origin }: HttpTarget, error: unknown, isCertified = false): SinkError {
  const fault = networkFault(error);
  const cause = codeOf(error);
  return new SinkError(
    fault?.retry === false ? 'sink-refused' : 'sink-unreachable',
    `Cannot connect to ${origin} (${cause}).`,
    {
      ...(fault?.cause === 'proxy-refused'
        ? { remedy: 'Have the proxy let this target through, or set NO_PROXY.' }
        : isCertified && fault && mayBeAboutOurs(fault)
          ? { remedy: CERTIFICATE_REMEDY }
          : {}),
      details: { target: origin, cause },
    },
  );
}
