import { count, httpUrl, secret, text, together, type CrossCheck } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/** A host name, or `host:port`, compared in lower case. */
const FILE_HOST = z
  .string()
  .regex(/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/, {
    error: 'is not a host; write host or host:port, without a scheme or path',
  })
  .transform((host) => host.toLowerCase());

/** Keys of `genesys`: where the organisation is, who asks, and how much of it. */
export const GENESYS_KEYS = {
  region: z
    .string()
    .regex(/^[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*$/, {
      error: 'is not a region; write its domain, such as mypurecloud.de',
    })
    .transform((region) => region.toLowerCase())
    .optional()
    .meta({
      kind: 'text',
      env: 'GENESYS_REGION',
      description: "The organisation's region by its domain, such as mypurecloud.de. Instead of apiUrl and loginUrl.",
    }),
  apiUrl: httpUrl('origin').optional().meta({
    env: 'GENESYS_API_URL',
    description: 'Origin of the API, where the region does not tell it. Paths are appended.',
  }),
  loginUrl: httpUrl('origin').optional().meta({
    env: 'GENESYS_LOGIN_URL',
    description: 'Origin of the login service, where the region does not tell it. Paths are appended.',
  }),
  clientId: text()
    .optional()
    .meta({ env: 'GENESYS_CLIENT_ID', description: 'OAuth client (client credentials grant).' }),
  clientSecret: secret().optional().meta({ env: 'GENESYS_CLIENT_SECRET', description: "The OAuth client's secret." }),
  fileHosts: z.array(FILE_HOST).prefault([]).meta({
    kind: 'list of host or host:port',
    env: 'GENESYS_FILE_HOSTS',
    description: "Hosts that signed links may point to, added to the region's. A host listed here may be loopback.",
  }),
  requestsPerSecond: count(1, 1000).prefault(10).meta({
    description:
      "Most requests a second, shared by all windows. What Genesys' answers say of its limit is kept to besides.",
  }),
  maxConnections: count(1, 1000).prefault(100).meta({ description: 'Most connections kept to one host.' }),
};

export const GENESYS_CHECKS: readonly CrossCheck[] = [
  together('genesys.apiUrl', 'genesys.loginUrl', 'set both, or genesys.region alone'),
];
