import { networkFault, type NetworkFault } from '@genesys-kafka/http';
import type { Dispatcher } from 'undici';
import { callError, tooSlow, type CallFacts } from '../call-errors.ts';
import type { GenesysError } from '../errors.ts';
import { callFacts, interceptor } from '../exchange.ts';

/** Turns the errors of sockets, resolver, TLS and undici into ours. An unknown one passes: it is a bug, not a fault. */
export function transportErrors(): Dispatcher.DispatcherComposeInterceptor {
  return interceptor(async (call, next) => {
    try {
      return await next(call);
    } catch (error) {
      const fault = call.signal.aborted ? undefined : networkFault(error);
      throw fault ? transportError(fault, callFacts(call)) : error;
    }
  });
}

function transportError({ cause: kind, code, error: cause }: NetworkFault, facts: CallFacts): GenesysError {
  const { host, operation } = facts;
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return tooSlow(facts, 'no answer began in time', cause);
  if (code === 'UND_ERR_BODY_TIMEOUT') return tooSlow(facts, 'its body stalled', cause);
  switch (kind) {
    case 'dns-failure':
      return callError('host-not-found', facts, `The host ${host} was not found (DNS).`, { cause });
    case 'tls-refused': {
      const what = `No trusted TLS connection to ${host} (${code}).`;
      return callError('tls-failed', { ...facts, reason: code }, what, { cause });
    }
    case 'proxy-failed':
    case 'proxy-refused': {
      const answer = /^\d/.test(code) ? `it answered ${code}` : 'no tunnel was made';
      return callError(kind, facts, `The proxy did not connect to ${host} (${answer}).`, { cause });
    }
    default: {
      const what = `The connection to ${host} failed during ${operation} (${code}).`;
      return callError('connection-failed', { ...facts, reason: code }, what, { cause });
    }
  }
}
