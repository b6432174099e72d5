import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { count, secret, text } from './fields.ts';

export const spoolSection = z
  .strictObject({
    dir: text().optional().meta({
      env: 'SPOOL_DIR',
      description:
        "Where archives lie while they are read. Without it, genesys-kafka in the system's temporary directory.",
    }),
  })
  .transform(({ dir }) => ({ dir: dir ?? join(tmpdir(), 'genesys-kafka') }));

export const logSection = z.strictObject({
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).prefault('info').meta({
    env: 'LOG_LEVEL',
    description: 'The least level that is logged.',
  }),
});

export const httpSection = z.strictObject({
  port: count(0, 65_535).prefault(0).meta({ env: 'HTTP_PORT', description: 'Health and metrics; 0 = off.' }),
  host: text(255).prefault('127.0.0.1').meta({
    env: 'HTTP_HOST',
    description: 'Address that health and metrics listen on; 0.0.0.0 inside a container.',
  }),
});

export const tlsSection = z.strictObject({
  caFile: text().optional().meta({
    description: 'PEM file of certificate authorities trusted besides the usual ones and those in NODE_EXTRA_CA_CERTS.',
  }),
  allowInsecureHttp: z.boolean().prefault(false).meta({
    env: 'ALLOW_INSECURE_HTTP',
    description: 'Lets http: URLs point to other machines than this one.',
  }),
});

export const proxySection = z.strictObject({
  url: secret()
    .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
      error: 'is not a proxy; write http://host:port',
    })
    .optional()
    .meta({ env: 'HTTPS_PROXY', description: 'Proxy for https: requests.' }),
  bypass: z.array(text(255)).prefault([]).meta({
    kind: 'list of hosts',
    env: 'NO_PROXY',
    description: 'Hosts reached without the proxy: names, .suffixes, host:port, or *.',
  }),
});
