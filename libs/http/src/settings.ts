import { secret, text, type CrossCheck, type Given, valuesAt, valuesOf } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { isInsecure } from './loopback.ts';

// Here as well, since settings are read before anything that connects is loaded.
export { isLoopback } from './loopback.ts';
export { requireModernTls, trustCaFile } from './trust.ts';

/** `tls`: how far other machines are trusted, by whatever connects. */
export const TLS_SECTION = z
  .strictObject({
    caFile: text().optional().meta({
      description:
        'PEM file of certificate authorities trusted besides the usual ones and those in NODE_EXTRA_CA_CERTS.',
    }),
    allowInsecureHttp: z.boolean().prefault(false).meta({
      env: 'ALLOW_INSECURE_HTTP',
      description: 'Lets http: URLs point to other machines than this one.',
    }),
  })
  .prefault({});

/** `proxy`: the way to https: targets. */
export const PROXY_SECTION = z
  .strictObject({
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
  })
  .prefault({});

/** For every program that connects to anything. */
export const TLS_CHECKS: readonly CrossCheck[] = [certificatesAreVerified, httpStaysOnThisMachine];

function certificatesAreVerified({ env }: Given) {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return [];
  return [
    {
      path: 'NODE_TLS_REJECT_UNAUTHORIZED',
      problem: 'is 0, which accepts any certificate',
      fix: 'unset it, and name your certificate authority in NODE_EXTRA_CA_CERTS',
    },
  ];
}

/** Plain http: sends tokens and personal data readable over the network. Concerns every setting that is a URL. */
function httpStaysOnThisMachine({ tree, fields }: Given) {
  if (valuesAt(tree, ['tls', 'allowInsecureHttp']).some(({ value }) => value === true)) return [];
  return fields
    .filter(({ url }) => url)
    .flatMap((field) => valuesOf(tree, field))
    .filter(({ value }) => typeof value === 'string' && URL.canParse(value) && isInsecure(new URL(value)))
    .map(({ path }) => ({
      path,
      problem: 'is a plain http: URL to another machine',
      fix: 'write https:, or set ALLOW_INSECURE_HTTP=true where the network is trusted',
    }));
}
