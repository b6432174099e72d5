import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { ClientTls } from '@genesys-kafka/http';
import { sinkOptionInvalid } from '../../errors.ts';

export interface ClientTlsOptions {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly caFile?: string | undefined;
}

/**
 * Certificate, key and authorities of one sink, read now and not again while it runs. Throws `sink-option-invalid` for
 * files that cannot be read or do not fit each other; no secret is in it.
 */
export function readClientTls(sink: string, secure: boolean, options: ClientTlsOptions): ClientTls {
  const { certFile, keyFile, passphrase, caFile } = options;
  const fail = (option: string, problem: string) => sinkOptionInvalid(sink, `tls.${option}`, problem);
  const read = (option: string, file: string) => {
    try {
      return readFileSync(file);
    } catch (error) {
      throw fail(option, `names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
    }
  };
  if (!secure && (certFile ?? caFile) !== undefined) throw sinkOptionInvalid(sink, 'tls', 'needs an https: url');
  if (certFile !== undefined && keyFile === undefined) throw fail('keyFile', 'is missing; a certificate needs its key');
  if (keyFile !== undefined && certFile === undefined)
    throw fail('certFile', 'is missing; a key needs its certificate');
  const ca =
    caFile === undefined
      ? {}
      : { ca: authoritiesIn(read('caFile', caFile), (problem) => fail('caFile', `names ${caFile}, ${problem}`)) };
  if (certFile === undefined || keyFile === undefined) return ca;
  const own = {
    cert: read('certFile', certFile),
    key: read('keyFile', keyFile),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  try {
    createSecureContext(own);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw fail('keyFile', `does not open with the passphrase given, or does not fit the certificate (${code})`);
  }
  return { ...own, ...ca };
}

/** Those that are trusted anyway, and those of a PEM file. */
function authoritiesIn(pem: Buffer, fail: (problem: string) => Error): string[] {
  const found = pem.toString('utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!found) throw fail('which holds no certificate');
  try {
    createSecureContext({ ca: found });
  } catch {
    throw fail('which holds a damaged certificate');
  }
  return [...getCACertificates('default'), ...found];
}
