import type { DeliveryOutcome } from '@genesys-kafka/delivery';
import type { ClientTls } from '@genesys-kafka/http';
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
  const given = Object.keys(options.headers ?? {}).map((header) => header.toLowerCase());
  if (auth && given.includes('authorization'))
    throw sinkOptionInvalid(name, 'auth', 'and headers.authorization are both given; leave one out');
  const signature = options.signature && {
    ...options.signature,
    header: checkHeaderName(name, 'signature.header', options.signature.header),
  };
  const fixed = auth && auth.type !== 'oauth' ? fixedLogin(auth) : undefined;
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

/** The header `authorization` of a login that stays as it is. */
function fixedLogin(auth: Exclude<AuthOptions, OAuthOptions>): string {
  if (auth.type === 'bearer') return `Bearer ${auth.token}`;
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
}

/** What no token means for records: never their fault, so the circuit opens and they wait. */
export function outcomeOfLogin(error: unknown): DeliveryOutcome {
  if (!(error instanceof SinkError)) throw error;
  return { kind: 'misconfigured', failure: { cause: error.code.replace(/^sink-/, ''), reason: error.message } };
}
