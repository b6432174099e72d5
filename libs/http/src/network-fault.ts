/** Why a request got no whole answer. Stable words: dead letters carry them. */
export type FaultCause =
  | 'connection-refused'
  | 'connection-reset'
  | 'dns-failure'
  | 'host-unreachable'
  | 'not-http'
  | 'proxy-failed'
  | 'proxy-refused'
  | 'timeout'
  | 'tls-refused'
  | 'too-many-open-files';

export interface NetworkFault {
  readonly cause: FaultCause;
  /** Of undici, Node or the system, for messages; the status where a proxy has answered. */
  readonly code: string;
  /** False for what stays until somebody changes certificates, addresses or logins. */
  readonly retry: boolean;
  /** To be kept as a cause; undefined where it holds what the other side sent, which may be anybody's data. */
  readonly error: Error | undefined;
}

/**
 * The codes of undici, sockets, name resolution and OpenSSL. The first that fits counts: TLS that breaks on the way is
 * a broken connection, any other failure of it is a refusal.
 */
const FAULTS: readonly (readonly [codes: RegExp, cause: FaultCause])[] = [
  [/^(ENOTFOUND|ENODATA|EAI_\w+)$/, 'dns-failure'],
  [/^ECONNREFUSED$/, 'connection-refused'],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|ERR_HTTP2_\w+|ERR_STREAM_PREMATURE_CLOSE)$/, 'connection-reset'],
  [/^UND_ERR_(SOCKET|INFO|RES_CONTENT_LENGTH_MISMATCH)$/, 'connection-reset'],
  [/^ERR_SSL_[\w/]*(BAD_RECORD_MAC|UNEXPECTED_EOF)/, 'connection-reset'],
  [/^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT|ERR_TLS_HANDSHAKE_TIMEOUT)$/, 'timeout'],
  [/^(EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL)$/, 'host-unreachable'],
  [/^(EMFILE|ENFILE)$/, 'too-many-open-files'],
  [/^(HPE_\w+|UND_ERR_HEADERS_OVERFLOW)$/, 'not-http'],
  [/^UND_ERR_PRX_CONN$/, 'proxy-failed'],
  [/^(UND_ERR_PRX_TLS|EPROTO|ERR_(TLS|SSL)_[\w/]+)$/, 'tls-refused'],
  // OpenSSL's verdicts on a certificate.
  [/^(CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERROR_IN_C|INVALID_CA$|INVALID_PURPOSE$)/, 'tls-refused'],
  [/^(HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/, 'tls-refused'],
];

/** What a failed request means; undefined where it is no fault of the network, but a bug or an abort. */
export function networkFault(error: unknown): NetworkFault | undefined {
  const coded = codedError(error);
  if (!coded) return undefined;
  // A tunnel's refusal has no code of its own.
  const status = /^Proxy response \((\d{3})\)/.exec(coded.error.message)?.[1];
  const code = status ?? coded.code;
  const cause = status === undefined ? FAULTS.find(([codes]) => codes.test(code))?.[1] : tunnelFault(status);
  if (cause === undefined) return undefined;
  const retry = cause !== 'tls-refused' && cause !== 'proxy-refused';
  return { cause, code, retry, error: cause === 'not-http' ? undefined : coded.error };
}

/** A proxy that cannot may do so later; one that will not wants another login or another rule. */
function tunnelFault(status: string): FaultCause {
  return status.startsWith('5') ? 'proxy-failed' : 'proxy-refused';
}

/** The code of a failed request, for messages and logs; `unknown` where it has none. */
export function codeOf(error: unknown): string {
  return codedError(error)?.code ?? 'unknown';
}

/** The first error with a code, from the outside in; several addresses tried give an AggregateError. */
function codedError(error: unknown): { readonly code: string; readonly error: Error } | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return { code: at.code, error: at };
    // undici's parser does not always say what it stumbled over.
    if (at.name === 'HTTPParserError') return { code: 'HPE_UNKNOWN', error: at };
    if (at instanceof AggregateError && at.errors.length > 0) return codedError(at.errors[0]);
  }
  return undefined;
}
