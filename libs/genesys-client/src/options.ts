import { isInsecure, type Proxy, type TimedAnswer } from '@genesys-kafka/http';
import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { GenesysError } from './errors.ts';
import type { OnEvent } from './events.ts';

const whole = (min: number, max: number) => z.number().int().min(min).max(max);

/** Every setting with its range, default and unit; the one place they are validated. */
const SETTINGS = z.strictObject({
  apiUrl: z.string().describe('Origin of the API, e.g. https://api.mypurecloud.de.'),
  loginUrl: z.string().describe('Origin of the login, e.g. https://login.mypurecloud.de.'),
  clientId: z.string().min(1).describe('OAuth client credentials: id.'),
  clientSecret: z.string().min(1).describe('OAuth client credentials: secret.'),
  requestsPerSecond: whole(1, 1000).default(10).describe('Requests in any second, over all calls and retries.'),
  maxConnections: whole(1, 1000).default(100).describe('Kept-alive connections per origin.'),
  allowInsecureHttp: z.boolean().default(false).describe('Plain http: to other hosts than loopback.'),
  proxy: z.custom<Proxy>().optional().describe('Tunnel for https: requests.'),
  headersTimeoutMs: whole(1, 600_000).default(60_000).describe('Longest wait for an answer to begin, in ms.'),
  bodyIdleTimeoutMs: whole(1, 600_000).default(30_000).describe('Longest gap within a body, in ms.'),
  requestTimeoutMs: whole(1, 3_600_000).default(300_000).describe('Longest attempt, body included, in ms.'),
  retryAttempts: whole(1, 100).default(8).describe('Attempts of a call, the first included.'),
  retryMaxElapsedMs: whole(0, 86_400_000)
    .default(600_000)
    .describe('No attempt starts later than this after the first, in ms.'),
  maxPageBytes: whole(1024, 2_000_000_000).default(134_217_728).describe('Largest results page, in bytes.'),
});

export type GenesysClientOptions = z.input<typeof SETTINGS> & {
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1); for jitter. */
  readonly random?: (() => number) | undefined;
  readonly onEvent?: OnEvent | undefined;
  /** Shown every answer with the times around it; what it throws ends the call. */
  readonly onAnswer?: ((answer: TimedAnswer) => void) | undefined;
};

export type Settings = z.output<typeof SETTINGS>;

/** Validates all settings at once and freezes them; `genesys-settings` lists every problem, no value. */
export function parseSettings(input: z.input<typeof SETTINGS>): Readonly<Settings> {
  const parsed = SETTINGS.safeParse(input);
  if (!parsed.success) throw unusable(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  const settings = parsed.data;
  const problems = [
    ...originProblems('apiUrl', settings.apiUrl, settings.allowInsecureHttp),
    ...originProblems('loginUrl', settings.loginUrl, settings.allowInsecureHttp),
    ...proxyProblems(settings.proxy?.url),
  ];
  if (problems.length > 0) throw unusable(problems);
  const { apiUrl, loginUrl } = settings;
  return Object.freeze({ ...settings, apiUrl: new URL(apiUrl).origin, loginUrl: new URL(loginUrl).origin });
}

function originProblems(name: string, text: string, allowInsecureHttp: boolean): string[] {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol)) return [`${name}: not an https: address`];
  if (url.username !== '' || url.password !== '') return [`${name}: must not hold a user name or password`];
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return [`${name}: must be an origin, as https://${url.host}, without path or query`];
  }
  if (!allowInsecureHttp && isInsecure(url)) {
    return [
      `${name}: plain http: to ${url.host} would send the secret in the clear; use https: or allow insecure http`,
    ];
  }
  return [];
}

function proxyProblems(text: string | undefined): string[] {
  if (text === undefined || text === '') return [];
  const protocol = URL.parse(text)?.protocol;
  return protocol === 'http:' || protocol === 'https:' ? [] : ['proxy.url: not an http: or https: address'];
}

function unusable(problems: readonly string[]): GenesysError {
  return new GenesysError('genesys-settings', `The Genesys settings cannot be used: ${problems.join('; ')}.`);
}
