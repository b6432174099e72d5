import { codeOf, networkFault } from '@genesys-kafka/http';
import { retry, unlessAborted, type Clock } from '@genesys-kafka/resilience';
import { hideIssuedToken } from '@genesys-kafka/runtime';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { SinkError } from '../../errors.ts';
import { answerText } from '../client/answer-text.ts';
import type { OAuthOptions } from './auth-options.ts';

interface Token {
  readonly value: string;
  /** Monotonic moments: a margin before the end, and the end itself. */
  readonly endsAtMs: number;
  refreshAtMs: number;
}

/** Slack for the request's own time and for clocks that drift, but never much of a short life. */
const MARGIN_MS = 60_000;
const MARGIN_SHARE = 0.1;
/** A refresh that fails while the token still holds is tried again after this. */
const NEXT_REFRESH_MS = 10_000;
const ANSWER_MS = 10_000;
const MAX_ANSWER_BYTES = 65_536;
const PATIENCE = { attempts: 3, backoff: { initialMs: 200, factor: 3, maxMs: 2000, jitterMs: 200 } };

const TOKEN_ANSWER = z.object({
  // What goes into a header must be one word.
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  // Apigee calls it BearerToken.
  token_type: z
    .string()
    .regex(/^bearer(token)?$/i)
    .optional(),
  // RFC 6749 5.1 only recommends it, and some write it as text.
  expires_in: z.coerce.number().positive().catch(300),
});

const TOKEN_ERROR = z.object({ error: z.string().regex(/^[\w.-]{1,60}$/) });

/**
 * OAuth client credentials (RFC 6749, 4.4): one token, kept in memory only, fetched when first needed and again shortly
 * before it ends. Concurrent callers share one login. Rejects with `sink-login-refused` or `sink-login-unavailable`,
 * which name the host and no secret, or with the signal's reason.
 */
export class TokenSource {
  readonly #options: OAuthOptions;
  readonly #dispatcher: Dispatcher;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #token: Token | undefined;
  #login: Promise<Token> | undefined;

  constructor(options: OAuthOptions, dispatcher: Dispatcher, clock: Clock) {
    this.#options = options;
    this.#dispatcher = dispatcher;
    this.#clock = clock;
  }

  /** A token with some life left. */
  async current(signal: AbortSignal): Promise<string> {
    const token = this.#token;
    const nowMs = this.#clock.monotonicMs();
    if (token && nowMs < token.refreshAtMs) return token.value;
    if (!token || nowMs >= token.endsAtMs) return this.#fetch(signal);
    // The others go on with the old one meanwhile, and after a login that failed all do.
    token.refreshAtMs = nowMs + NEXT_REFRESH_MS;
    return this.#fetch(signal).catch((error: unknown) => {
      if (error instanceof SinkError) return token.value;
      throw error;
    });
  }

  /** A token other than `refused`: somebody's newer one, or a new login. */
  async renewed(refused: string, signal: AbortSignal): Promise<string> {
    if (this.#token?.value === refused) this.#token = undefined;
    return this.#token ? this.current(signal) : this.#fetch(signal);
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the sink is closed'));
    await this.#dispatcher.destroy();
  }

  async #fetch(signal: AbortSignal): Promise<string> {
    // The login belongs to all who wait for it: one caller's abort ends that caller's wait alone.
    this.#login ??= this.#logIn().finally(() => (this.#login = undefined));
    return (await unlessAborted(this.#login, signal)).value;
  }

  async #logIn(): Promise<Token> {
    const clock = this.#clock;
    return retry(
      async () => {
        const startMs = clock.monotonicMs();
        const { value, seconds } = await this.#ask();
        hideIssuedToken(value);
        const lifeMs = seconds * 1000;
        const refreshAtMs = startMs + lifeMs - Math.min(MARGIN_MS, lifeMs * MARGIN_SHARE);
        return (this.#token = { value, endsAtMs: startMs + lifeMs, refreshAtMs });
      },
      { ...PATIENCE, clock, signal: this.#closed.signal },
    );
  }

  async #ask(): Promise<{ readonly value: string; readonly seconds: number }> {
    const { origin, pathname, search, host } = new URL(this.#options.tokenUrl);
    const limit = AbortSignal.any([AbortSignal.timeout(ANSWER_MS), this.#closed.signal]);
    let status: number;
    let text: string;
    try {
      const answer = await this.#dispatcher.request({
        origin,
        path: pathname + search,
        method: 'POST',
        ...loginRequest(this.#options),
        signal: limit,
      });
      status = answer.statusCode;
      text = answerText(answer.headers, await readSome(answer.body), MAX_ANSWER_BYTES);
    } catch (error) {
      throw unanswered(host, limit.aborted ? Object.assign(new Error('late'), { code: 'ETIMEDOUT' }) : error);
    }
    if (status < 200 || status >= 300) throw refused(host, status, text);
    const token = TOKEN_ANSWER.safeParse(parsed(text));
    if (!token.success) throw new SinkError('sink-login-refused', `${host} answered ${status} without a bearer token.`);
    return { value: token.data.access_token, seconds: token.data.expires_in };
  }
}

function loginRequest({ clientId, clientSecret, scope, audience, credentials }: OAuthOptions) {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scope !== undefined) form.set('scope', scope);
  if (audience !== undefined) form.set('audience', audience);
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  };
  if (credentials === 'body') {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
  } else {
    // RFC 6749 2.3.1: each is form-encoded before it becomes part of Basic.
    const [id, secret] = [clientId, clientSecret].map(formEncoded);
    headers.authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  }
  return { headers, body: form.toString() };
}

function formEncoded(value: string): string {
  return new URLSearchParams({ v: value }).toString().slice(2);
}

async function readSome(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    if ((bytes += chunk.length) > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unanswered(host: string, error: unknown): SinkError {
  const code = codeOf(error);
  return networkFault(error)?.retry === false
    ? new SinkError('sink-login-refused', `TLS or the proxy refuses the login at ${host} (${code}).`)
    : new SinkError('sink-login-unavailable', `${host} does not answer the login (${code}).`);
}

/** What passes is waited for; anything else stays until somebody corrects the login. */
function refused(host: string, status: number, text: string): SinkError {
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return new SinkError('sink-login-unavailable', `${host} answered ${status} to the login.`);
  const word = TOKEN_ERROR.safeParse(parsed(text));
  const why = word.success ? `${status}, ${word.data.error}` : String(status);
  return new SinkError('sink-login-refused', `${host} refused the login (${why}).`);
}
