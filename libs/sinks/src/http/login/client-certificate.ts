import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates } from 'node:tls';
import { ClientIdentity, type ClientIdentityFiles, type ClientTls } from '@genesys-kafka/http';
import { sinkOptionInvalid } from '../../errors.ts';

export interface ClientTlsOptions extends ClientIdentityFiles {
  readonly caFile?: string | undefined;
}

/**
 * Certificate, key and authorities of one sink, read now and not again while it runs. Throws `sink-option-invalid` for
 * files that cannot be read or do not fit each other; no secret is in it.
 */
export function readClientTls(sink: string, secure: boolean, options: ClientTlsOptions): ClientTls {
  const { certFile, caFile } = options;
  const fail = (option: string, problem: string) => sinkOptionInvalid(sink, `tls.${option}`, problem);
  if (!secure && (certFile ?? caFile) !== undefined) throw sinkOptionInvalid(sink, 'tls', 'needs an https: url');
  const own = new ClientIdentity(options, fail).last;
  if (caFile === undefined) return own;
  return { ...own, ca: authoritiesIn(caFile, (problem) => fail('caFile', `names ${caFile}, ${problem}`)) };
}

/** Those that are trusted anyway, and those of a PEM file. */
function authoritiesIn(file: string, fail: (problem: string) => Error): string[] {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw fail(`which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!found) throw fail('which holds no certificate');
  try {
    createSecureContext({ ca: found });
  } catch {
    throw fail('which holds a damaged certificate');
  }
  return [...getCACertificates('default'), ...found];
}
