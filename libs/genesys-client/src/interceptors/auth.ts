import type { Dispatcher } from 'undici';
import { interceptor } from '../exchange.ts';
import type { TokenSource } from '../token-source.ts';

/**
 * Adds the bearer token; a 401 has it refreshed once and the same request made again. (A token may die early: after 15
 * idle minutes in HIPAA organisations, docs/genesys-cloud.md, "Logging in".) A second 401 is the caller's answer.
 * Outside of the retries, so that a login's own retries are not multiplied by them.
 */
export function auth(tokens: TokenSource): Dispatcher.DispatcherComposeInterceptor {
  return interceptor(async (call, next) => {
    const send = async (token: string) =>
      next({ ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } });
    const token = await tokens.current(call.signal);
    const answer = await send(token);
    if (answer.status !== 401) return answer;
    return send(await tokens.renewed(token, call.signal));
  });
}
