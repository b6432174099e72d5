import { isIP } from 'node:net';

/** Whether a host name or address is this machine, as `URL` normalises it: decimal and octal spellings of 127.0.0.1 have become that. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === 'localhost' || host.endsWith('.localhost');
}
