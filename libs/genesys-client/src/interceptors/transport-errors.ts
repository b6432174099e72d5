import { OperationalError } from '@genesys-kafka/resilience';
import type { Dispatcher } from 'undici';
import { ConnectionError, GenesysTimeoutError, HostNotFoundError, ProxyError, TlsError } from '../errors.ts';
import type { CallFacts } from '../errors.ts';
import { callFacts, interceptor } from '../exchange.ts';

/** Turns the errors of sockets, resolver, TLS and undici into ours. An unknown one passes: it is a bug, not a fault. */
export function transportErrors(): Dispatcher.DispatcherComposeInterceptor {
  return interceptor(async (call, next) => {
    try {
      return await next(call);
    } catch (error) {
      if (call.signal.aborted) throw error;
      throw classify(error, callFacts(call));
    }
  });
}

/** What undici says when a connection breaks or its bytes are no HTTP. */
const BROKEN = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_HEADERS_OVERFLOW',
]);
/** Node's spelling of the system's network errors; EMFILE and ENFILE pass when other connections close. */
const SYSTEM =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|EMFILE|ENFILE|EAI_FAIL)$/;
const UNTRUSTED = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$)/;

function classify(error: unknown, facts: CallFacts): unknown {
  if (!(error instanceof Error) || error instanceof OperationalError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') return new HostNotFoundError(facts, error);
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return new GenesysTimeoutError(facts, 'no answer began in time', error);
  if (code === 'UND_ERR_BODY_TIMEOUT') return new GenesysTimeoutError(facts, 'its body stalled', error);
  // No cause: the parser's error carries the bytes it could not read, which may be anybody's data.
  if (error.name === 'HTTPParserError') return new ConnectionError(facts, code || 'the answer is no HTTP');
  if (UNTRUSTED.test(code)) return new TlsError(facts, code, error);
  const refusal = /^Proxy response \((\d{3})\)/.exec(error.message)?.[1];
  if (refusal !== undefined || code.startsWith('UND_ERR_PRX_')) {
    return new ProxyError(facts, refusal === undefined ? undefined : Number(refusal), error);
  }
  if (BROKEN.has(code) || SYSTEM.test(code) || code.startsWith('ERR_HTTP2_')) {
    return new ConnectionError(facts, code, error);
  }
  return error;
}
