import type { DeliveryOutcome } from '@genesys-kafka/delivery';

/** Stable causes for what undici and the system report; the texts of their errors may hold addresses or more. */
const CAUSES: Readonly<Record<string, readonly [cause: string, reason: string]>> = {
  ECONNREFUSED: ['connection-refused', 'nothing listens at the target'],
  ECONNRESET: ['connection-reset', 'the target closed the connection before answering'],
  EPIPE: ['connection-reset', 'the target closed the connection before answering'],
  UND_ERR_SOCKET: ['connection-reset', 'the target closed the connection before answering'],
  ENOTFOUND: ['dns-failure', 'the host name of the target cannot be resolved'],
  EAI_AGAIN: ['dns-failure', 'the host name of the target cannot be resolved'],
  ETIMEDOUT: ['timeout', 'no connection in time'],
  UND_ERR_CONNECT_TIMEOUT: ['timeout', 'no connection in time'],
  EHOSTUNREACH: ['host-unreachable', 'there is no way to the target'],
  ENETUNREACH: ['host-unreachable', 'there is no way to the target'],
  EMFILE: ['too-many-open-files', 'this process has no file descriptor left'],
};

/** True for a certificate, host name or protocol that TLS does not accept: a matter of configuration, not of time. */
export function isTlsRefusal(code: string): boolean {
  return (
    /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/.test(
      code,
    ) && code !== 'ERR_TLS_HANDSHAKE_TIMEOUT'
  );
}

/** The first system or library code in an error and its causes; several addresses tried give an AggregateError. */
export function codeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0]);
  }
  return 'unknown';
}

/** What a request without an answer means: transient, except where TLS refuses the target. */
export function outcomeOfFailure(error: unknown): DeliveryOutcome {
  const code = codeOf(error);
  if (isTlsRefusal(code))
    return {
      kind: 'misconfigured',
      failure: { cause: 'tls-refused', reason: `the target's certificate or TLS is not accepted (${code})` },
    };
  const [cause, reason] = CAUSES[code] ?? ['transport-error', `the request failed without an answer (${code})`];
  return { kind: 'retry', failure: { cause, reason } };
}
