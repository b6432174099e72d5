import { z } from 'zod';
import { count, httpUrl, secret, text } from './fields.ts';

/** A host name, or `host:port`, compared in lower case. */
const fileHost = z
  .string()
  .regex(/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/, {
    error: 'is not a host; write host or host:port, without a scheme or path',
  })
  .transform((host) => host.toLowerCase());

export const genesysSection = z.strictObject({
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
  contract: z.enum(['details-jobs', 'bulk-archive']).prefault('details-jobs').meta({
    env: 'GENESYS_CONTRACT',
    description: 'How results come back: pages with a cursor, or a signed link to a ZIP.',
  }),
  query: z.record(z.string(), z.unknown()).prefault({}).meta({
    kind: 'object',
    description: "The contract's submit body without its interval. `--query file.json` replaces it.",
  }),
  fileHosts: z.array(fileHost).prefault([]).meta({
    kind: 'list of host or host:port',
    env: 'GENESYS_FILE_HOSTS',
    description: "Hosts that signed links may point to, added to the region's. A host listed here may be loopback.",
  }),
  requestsPerSecond: count(1, 1000).prefault(10).meta({
    description: "The organisation's request budget, shared by all windows.",
  }),
  maxConnections: count(1, 1000).prefault(100).meta({ description: 'Most connections kept to one host.' }),
  pageSize: count(1, 1000).prefault(1000).meta({ description: 'Records asked for in a page (details-jobs).' }),
  concurrentJobs: count(1, 100).prefault(2).meta({ description: 'Jobs in flight at a time.' }),
  concurrentDownloads: count(1, 5).prefault(3).meta({ description: 'Archives downloaded at a time.' }),
});
