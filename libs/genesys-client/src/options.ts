import { X509Certificate } from 'node:crypto';
import type { Clock } from '@genesys-kafka/resilience';
import { z } from 'zod';
import { GenesysSettingsError } from './errors.ts';
import type { OnEvent } from './events.ts';

const whole = (min: number, max: number) => z.number().int().min(min).max(max);

/** Every setting with its range, default and unit; the one place they are validated. */
const settingsSchema = z.strictObject({
  apiUrl: z.string().describe('Origin of the API, e.g. https://api.mypurecloud.de.'),
  loginUrl: z.string().describe('Origin of the login, e.g. https://login.mypurecloud.de.'),
  clientId: z.string().min(1).describe('OAuth client credentials: id.'),
  clientSecret: z.string().min(1).describe('OAuth client credentials: secret.'),
  requestsPerSecond: whole(1, 1000).default(10).describe('Requests in any second, over all calls and retries.'),
  maxConnections: whole(1, 1000).default(100).describe('Kept-alive connections per origin.'),
  ca: z.string().optional().describe('PEM certificates trusted besides the system ones.'),
  allowInsecureHttp: z.boolean().default(false).describe('Plain http: to other hosts than loopback.'),
  httpsProxy: z.string().optional().describe('Proxy for https: requests, as in HTTPS_PROXY.'),
  noProxy: z.string().optional().describe('Hosts reached without the proxy, as in NO_PROXY.'),
  connectTimeoutMs: whole(1, 600_000).default(10_000).describe('Longest connection set-up, in ms.'),
  headersTimeoutMs: whole(1, 600_000).default(60_000).describe('Longest wait for an answer to begin, in ms.'),
  bodyIdleTimeoutMs: whole(1, 600_000).default(30_000).describe('Longest gap within a body, in ms.'),
  minBodyBytesPerSecond: whole(0, 1_000_000_000)
    .default(1024)
    .describe('Least average body speed over a stretch of 30 s, in bytes per second; 0 = none.'),
  requestTimeoutMs: whole(1, 3_600_000).default(300_000).describe('Longest attempt, body included, in ms.'),
  retryAttempts: whole(1, 100).default(8).describe('Attempts of a call, the first included.'),
  retryMaxElapsedMs: whole(0, 86_400_000)
    .default(600_000)
    .describe('No attempt starts later than this after the first, in ms.'),
  maxPageBytes: whole(1024, 2_000_000_000).default(134_217_728).describe('Largest results page, in bytes.'),
});

export type GenesysClientOptions = z.input<typeof settingsSchema> & {
  readonly clock?: Clock | undefined;
  /** Uniform in [0, 1); for jitter. */
  readonly random?: (() => number) | undefined;
  readonly onEvent?: OnEvent | undefined;
};

export type Settings = z.output<typeof settingsSchema>;

/** Validates all settings at once and freezes them; `GenesysSettingsError` lists every problem, no value. */
export function parseSettings(input: z.input<typeof settingsSchema>): Readonly<Settings> {
  const parsed = settingsSchema.safeParse(input);
  if (!parsed.success) {
    throw new GenesysSettingsError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  const settings = parsed.data;
  const problems = [
    ...originProblems('apiUrl', settings.apiUrl, settings.allowInsecureHttp),
    ...originProblems('loginUrl', settings.loginUrl, settings.allowInsecureHttp),
    ...proxyProblems(settings.httpsProxy),
    ...caProblems(settings.ca),
  ];
  if (problems.length > 0) throw new GenesysSettingsError(problems);
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
  if (url.protocol === 'http:' && !allowInsecureHttp && !isLoopback(url.hostname)) {
    return [
      `${name}: plain http: to ${url.host} would send the secret in the clear; use https: or allow insecure http`,
    ];
  }
  return [];
}

function isLoopback(hostname: string): boolean {
  // URL has normalised the spelling: 127.1, 0x7f000001 and the like are dotted quads by now.
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function proxyProblems(text: string | undefined): string[] {
  if (text === undefined || text === '') return [];
  const protocol = URL.parse(text)?.protocol;
  return protocol === 'http:' || protocol === 'https:' ? [] : ['httpsProxy: not an http: or https: address'];
}

function caProblems(pem: string | undefined): string[] {
  if (pem === undefined) return [];
  try {
    new X509Certificate(pem);
    return [];
  } catch {
    return ['ca: not a PEM certificate'];
  }
}
