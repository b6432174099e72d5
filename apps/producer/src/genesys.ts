import { readFileSync } from 'node:fs';
import { createGenesysClient, regionOrigins, type GenesysClient } from '@genesys-kafka/genesys-client';
import { ConfigError, missingSetting, requireSettings, type Logger, type Settings } from '@genesys-kafka/runtime';

/** Where Genesys is: the region's origins, or those given one by one. Throws a ConfigError when neither is set. */
export function genesysOrigins(settings: Settings): { apiUrl: string; loginUrl: string; fileHosts: readonly string[] } {
  const { region, apiUrl, loginUrl, fileHosts } = settings.genesys;
  const origins = region === undefined ? undefined : regionOrigins(region);
  const api = apiUrl ?? origins?.apiUrl;
  const login = loginUrl ?? origins?.loginUrl;
  if (api === undefined || login === undefined) throw new ConfigError([missingSetting('genesys.region')]);
  return { apiUrl: api, loginUrl: login, fileHosts: [...(origins?.fileHosts ?? []), ...fileHosts] };
}

/** Certificate authorities trusted besides the system's, as PEM text. */
export function readCa(settings: Settings): string | undefined {
  return settings.tls.caFile === undefined ? undefined : readFileSync(settings.tls.caFile, 'utf8');
}

export function connectGenesys(settings: Settings, log: Logger): GenesysClient {
  const { apiUrl, loginUrl } = genesysOrigins(settings);
  const needed = requireSettings(settings, ['genesys.clientId', 'genesys.clientSecret']);
  const ca = readCa(settings);
  return createGenesysClient({
    apiUrl,
    loginUrl,
    clientId: needed['genesys.clientId'],
    clientSecret: needed['genesys.clientSecret'],
    requestsPerSecond: settings.genesys.requestsPerSecond,
    maxConnections: settings.genesys.maxConnections,
    allowInsecureHttp: settings.tls.allowInsecureHttp,
    ...(ca === undefined ? {} : { ca }),
    ...(settings.proxy.url === undefined ? {} : { httpsProxy: settings.proxy.url }),
    noProxy: settings.proxy.bypass.join(','),
    onEvent: ({ type, ...details }) => log[type === 'retry' ? 'warn' : 'debug'](details, `genesys: ${type}`),
  });
}
