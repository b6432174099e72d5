import { endsSourceOnly, unlessAborted, type Clock } from '@genesys-kafka/resilience';
import { hideIssuedToken } from '@genesys-kafka/runtime';
import { z } from 'zod';
import { answerFacts, readJson, refusal } from './answers.ts';
import { callError } from './call-errors.ts';
import { GenesysError } from './errors.ts';
import type { OnEvent } from './events.ts';
import type { Answer, Call, Exchange } from './exchange.ts';

interface TokenSourceOptions {
  /** Without the `auth` interceptor. */
  readonly exchange: Exchange;
  readonly loginUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clock: Clock;
  readonly onEvent: OnEvent;
  /** Ends a login that is under way when the client closes. */
  readonly lifetime: AbortSignal;
}

interface Token {
  readonly value: string;
  /** Monotonic; a margin before the real end. */
  readonly refreshAtMs: number;
}

/** Some slack for the request's own time and clocks that drift, but never much of a short life (300 s at least). */
const MARGIN_MS = 60_000;
const MARGIN_SHARE = 0.1;
const MAX_TOKEN_BYTES = 65_536;
const ODD_LOGINS = 5;

type LoginReason = 'first' | 'expiring' | 'refused';

const TOKEN_ANSWER = z.object({
  // Whatever goes into a header must be one word.
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  // RFC 6749 5.1 only recommends it; 300 s is the shortest life Genesys gives.
  expires_in: z.number().positive().default(300),
});

const TOKEN_ERROR = z.object({ error: z.string().regex(/^[\w.-]{1,60}$/) });

/**
 * OAuth client credentials (docs/genesys-cloud.md, "Logging in"): one token, kept in memory only, fetched when first
 * needed and again shortly before it ends. Concurrent callers share one login.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  #token: Token | undefined;
  #login: Promise<Token> | undefined;
  #hasLoggedIn = false;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  /** A token with some life left. Rejects with `login-failed`, a transport error, or the signal's reason. */
  async current(signal: AbortSignal): Promise<string> {
    const token = this.#token;
    if (token && this.#options.clock.monotonicMs() < token.refreshAtMs) return token.value;
    return this.#fetch(token ? 'expiring' : 'first', signal);
  }

  /** A token other than `refused`: somebody's newer one, or a new login. */
  async renewed(refused: string, signal: AbortSignal): Promise<string> {
    if (this.#token?.value === refused) this.#token = undefined;
    return this.#token ? this.current(signal) : this.#fetch('refused', signal);
  }

  async #fetch(reason: LoginReason, signal: AbortSignal): Promise<string> {
    // The login belongs to all who wait for it: one caller's abort ends that caller's wait alone.
    this.#login ??= this.#logIn(reason).finally(() => (this.#login = undefined));
    return (await unlessAborted(this.#login, signal)).value;
  }

  /** Without a token nothing goes on, for no window: what is wrong with the answer of a login ends the run. */
  async #logIn(reason: LoginReason): Promise<Token> {
    try {
      return await this.#askForToken(reason);
    } catch (error) {
      if (!(error instanceof GenesysError) || !endsSourceOnly(error)) throw error;
      const host = new URL(this.#options.loginUrl).host;
      const facts = { ...error.details, operation: 'login', host };
      throw callError('login-unusable', facts, `${host} gives no token. (${error.message})`, { cause: error });
    }
  }

  async #askForToken(reason: LoginReason): Promise<Token> {
    const { clock, lifetime, loginUrl, clientId, clientSecret, onEvent } = this.#options;
    const startMs = clock.monotonicMs();
    const call: Call = {
      operation: 'login',
      origin: loginUrl,
      path: '/oauth/token',
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
      signal: lifetime,
      maxBytes: MAX_TOKEN_BYTES,
      // At first it is the address that is wrong; of a login that worked, one odd answer is no verdict.
      ...(this.#hasLoggedIn ? { again: { attempts: ODD_LOGINS, when: isOddLogin } } : {}),
    };
    const answer = await this.#options.exchange(call);
    if (answer.status < 200 || answer.status >= 300) throw loginRefusal(call, answer, clock);
    const { access_token: value, expires_in: seconds } = readJson(call, answer, TOKEN_ANSWER);
    hideIssuedToken(value);
    const lifetimeMs = seconds * 1000;
    const marginMs = Math.min(MARGIN_MS, lifetimeMs * MARGIN_SHARE);
    this.#hasLoggedIn = true;
    this.#token = { value, refreshAtMs: startMs + lifetimeMs - marginMs };
    onEvent({ type: 'token-refreshed', reason, lifetimeMs });
    return this.#token;
  }
}

/** Answered with success, and yet no token. */
function isOddLogin({ status, body }: Answer): boolean {
  if (status < 200 || status >= 300) return false;
  try {
    return !TOKEN_ANSWER.safeParse(JSON.parse(body.toString('utf8'))).success;
  } catch {
    return true;
  }
}

/** Genesys answers 400 or 401 to wrong credentials, with an OAuth error word. */
function loginRefusal(call: Call, answer: Answer, clock: Clock): GenesysError {
  if (![400, 401, 403].includes(answer.status)) return refusal(call, answer, '', clock);
  let reason = String(answer.status);
  try {
    reason += `, ${TOKEN_ERROR.parse(JSON.parse(answer.body.toString('utf8'))).error}`;
  } catch {
    // No OAuth error body: the status has to do.
  }
  const facts = answerFacts(call, answer);
  return callError('login-failed', facts, `${facts.host} refused the login (${reason}).`);
}
