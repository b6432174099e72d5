import type { DeliveryOutcome } from '@genesys-kafka/delivery';
import { isInsecure, type ClientTls } from '@genesys-kafka/http';
import { connections } from '@genesys-kafka/http/connections';
import type { Clock } from '@genesys-kafka/resilience';
import { SinkError, sinkOptionInvalid } from '../../errors.ts';
import type { Message } from '../client/http-client.ts';
import { checkHeaderName, type HttpSinkOptions } from '../http-options.ts';
import type { AuthOptions, OAuthOptions } from './auth-options.ts';
import { signatureOf } from './signature.ts';
import { TokenSource } from './token-source.ts';

export interface Login {
  /** The message with what shows who we are; `token` where there are tokens. */
  readonly finish: (message: Message, token?: string) => Message;
  /** Of a login that gives some out. */
  readonly tokens: TokenSource | undefined;
}

/** What a sink's settings say of who we are. Throws `sink-option-invalid` for settings that contradict each other. */
export function loginOf(options: HttpSinkOptions, tls: ClientTls, clock: Clock): Login {
  const { name, auth, proxy } = options;
  const ours = { ...options.headers, ...options.expressions?.headers };
  const given = Object.keys(ours).map((header) => header.toLowerCase());
  if (auth && given.includes('authorization'))
    throw sinkOptionInvalid(name, 'auth', 'and a header authorization are both given; leave one out');
  const signature = options.signature && {
    ...options.signature,
    header: checkHeaderName(name, 'signature.header', options.signature.header),
  };
  if (signature && (given.includes(signature.header) || (auth && signature.header === 'authorization')))
    throw sinkOptionInvalid(name, 'signature.header', 'is a header that is set otherwise; choose another name');
  const fixed = auth && auth.type !== 'oauth' ? fixedLogin(name, auth) : undefined;
  if (auth?.type === 'oauth' && !options.allowInsecureHttp && isInsecure(new URL(auth.tokenUrl)))
    throw sinkOptionInvalid(name, 'auth.tokenUrl', 'is plain http to another machine; use https');
  if (!auth && !signature) return { finish: (message) => message, tokens: undefined };
  return {
    finish: (message, token) => {
      const authorization = token === undefined ? fixed : `Bearer ${token}`;
      const headers = authorization === undefined ? message.headers : { ...message.headers, authorization };
      const whole = { ...message, headers };
      if (!signature) return whole;
      return { ...whole, headers: { ...headers, [signature.header]: signatureOf(whole, signature, clock.nowMs()) } };
    },
    tokens:
      auth?.type === 'oauth' ? new TokenSource(auth, connections({ proxy, tls, connections: 1 }), clock) : undefined,
  };
}

/** The header `authorization` of a login that stays as it is. What no header can carry would fail with each record. */
function fixedLogin(sink: string, auth: Exclude<AuthOptions, OAuthOptions>): string {
  if (auth.type === 'bearer') {
    if (!/^[\x21-\x7e]+$/.test(auth.token)) throw sinkOptionInvalid(sink, 'auth.token', 'is not one word of ASCII');
    return `Bearer ${auth.token}`;
  }
  if (auth.username.includes(':')) throw sinkOptionInvalid(sink, 'auth.username', 'holds a colon, which ends it');
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
}

/** What no token means for records: never their fault, so the circuit opens and they wait. */
export function outcomeOfLogin(error: unknown): DeliveryOutcome {
  if (!(error instanceof SinkError)) throw error;
  return { kind: 'misconfigured', failure: { cause: error.code.replace(/^sink-/, ''), reason: error.message } };
}
