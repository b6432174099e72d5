import { isIP } from 'node:net';
import type { SettingProblem } from '../errors.ts';
import type { Settings } from './settings.ts';

/** Plain http: sends tokens and personal data readable over the network: only this machine may be reached by it. */
export function insecureUrls(settings: Settings): SettingProblem[] {
  if (settings.tls.allowInsecureHttp) return [];
  const urls: [string, string | undefined][] = [
    ['genesys.apiUrl', settings.genesys.apiUrl],
    ['genesys.loginUrl', settings.genesys.loginUrl],
    ['schema.registry', settings.schema.registry],
    ['deadLetters.objects.endpoint', settings.deadLetters.objects?.endpoint],
  ];
  for (const [name, sink] of Object.entries(settings.sinks)) {
    if (sink.type === 'http') urls.push([`sinks.${name}.url`, sink.url]);
    if (sink.type === 's3') urls.push([`sinks.${name}.endpoint`, sink.endpoint]);
  }
  return urls
    .filter(([, url]) => url !== undefined && isInsecure(url))
    .map(([path]) => ({
      path,
      problem: 'is a plain http: URL to another machine',
      fix: 'write https:, or set ALLOW_INSECURE_HTTP=true where the network is trusted',
    }));
}

function isInsecure(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' && !isLoopback(hostname);
}

/** By name or address as `URL` normalises it: decimal and octal spellings of 127.0.0.1 have become that. */
function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === 'localhost' || host.endsWith('.localhost');
}
