import { createSecureContext, getCACertificates } from 'node:tls';
import { certificatesIn, ClientIdentity, type ClientIdentityFiles, type ClientTls } from '@genesys-kafka/http';
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
  return { ...own, ca: authoritiesIn(caFile, (problem) => fail('caFile', problem)) };
}

/** Those that are trusted anyway, and those of a PEM file. */
function authoritiesIn(file: string, fail: (problem: string) => Error): string[] {
  const found = certificatesIn(file, fail);
  try {
    createSecureContext({ ca: [...found] });
  } catch {
    throw fail(`names ${file}, which holds a damaged certificate`);
  }
  return [...getCACertificates('default'), ...found];
}
