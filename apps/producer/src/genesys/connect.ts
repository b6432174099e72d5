import { regionOrigins, type ClientEvent } from '@genesys-kafka/genesys-client';
import { createGenesysClient, type GenesysClient } from '@genesys-kafka/genesys-client/client';
import type { TimedAnswer } from '@genesys-kafka/http';
import { ConfigError, missingSetting, requireSettings, type Logger } from '@genesys-kafka/runtime';
import type { Settings } from '../settings.ts';
import { clockGuard } from './clock-guard.ts';

/** Where Genesys is: the region's origins, or those given one by one. Throws a ConfigError when neither is set. */
function genesysOrigins(settings: Settings): { readonly apiUrl: string; readonly loginUrl: string } {
  const { region, apiUrl, loginUrl } = settings.genesys;
  const origins = region === undefined ? undefined : regionOrigins(region);
  const api = apiUrl ?? origins?.apiUrl;
  const login = loginUrl ?? origins?.loginUrl;
  if (api === undefined || login === undefined) throw new ConfigError([missingSetting(settings, 'genesys.region')]);
  return { apiUrl: api, loginUrl: login };
}

const WARNINGS: ReadonlySet<string> = new Set<ClientEvent['type']>(['retry', 'rate-headers-unreadable']);

export function connectGenesys(
  settings: Settings,
  log: Logger,
  onAnswer: (answer: TimedAnswer) => void = clockGuard(settings, log),
): GenesysClient {
  const { apiUrl, loginUrl } = genesysOrigins(settings);
  const needed = requireSettings(settings, ['genesys.clientId', 'genesys.clientSecret']);
  return createGenesysClient({
    apiUrl,
    loginUrl,
    clientId: needed['genesys.clientId'],
    clientSecret: needed['genesys.clientSecret'],
    requestsPerSecond: settings.genesys.requestsPerSecond,
    maxConnections: settings.genesys.maxConnections,
    allowInsecureHttp: settings.tls.allowInsecureHttp,
    proxy: settings.proxy,
    onAnswer,
    onEvent: ({ type, ...details }) => log[WARNINGS.has(type) ? 'warn' : 'debug'](details, `genesys: ${type}`),
  });
}
