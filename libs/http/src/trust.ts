import { readFileSync } from 'node:fs';
import tls, { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { ConfigError } from '@genesys-kafka/runtime/settings';

/**
 * TLS of every connection of ours. Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch it off; which
 * authorities are trusted is the process's business, for all connections alike.
 */
export const TLS = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;

/** Who we are, and whom one connection trusts besides: a certificate for this client, or authorities of its own. */
export interface ClientTls {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly passphrase?: string;
  readonly ca?: (string | Buffer)[];
}

/**
 * TLS 1.2 or later also for clients that take Node's default (the registry's), whatever NODE_OPTIONS lowered it to. Call
 * it before the first connection.
 */
export function requireModernTls(): void {
  tls.DEFAULT_MIN_VERSION = TLS.minVersion;
}

/**
 * Makes every TLS connection of the process (HTTP, Kafka, registry, stores) trust the authorities in this PEM file
 * besides the usual ones: `tls.caFile`. Call it before the first connection. Throws a `ConfigError` for a file that
 * cannot be read or holds no certificate.
 */
export function trustCaFile(file: string): void {
  const wrong = (problem: string) =>
    new ConfigError([{ path: 'tls.caFile', problem, fix: 'name a readable PEM file' }]);
  const certificates = certificatesIn(file, wrong);
  try {
    setDefaultCACertificates([...getCACertificates('default'), ...certificates]);
  } catch {
    throw wrong(`names ${file}, which holds a damaged certificate`);
  }
}

/** The certificates of a PEM file, as they stand there; throws what `fail` makes where there is none. */
export function certificatesIn(file: string, fail: (problem: string) => Error): readonly string[] {
  const pem = readNamed(file, fail).toString('utf8');
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!certificates) throw fail(`names ${file}, which holds no certificate`);
  return certificates;
}

/** A file that an option names; throws what `fail` makes where it cannot be read. */
export function readNamed(file: string, fail: (problem: string) => Error): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fail(`names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
}
