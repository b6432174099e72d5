import { createSecureContext } from 'node:tls';
import { readNamed } from './trust.ts';

/** PEM files by which a client shows who it is. */
export interface ClientIdentityFiles {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly passphrase?: string | undefined;
}

interface Identity {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly passphrase?: string;
}

/** Makes the error for one of the options; no secret is in `problem`. */
type Fail = (option: 'certFile' | 'keyFile', problem: string) => Error;

/**
 * A client's certificate and its key. Their files are replaced while programs run, so a connection asks for them anew.
 * What is half replaced, or gone for a moment, is no reason to fail: then they are as they were.
 */
export class ClientIdentity {
  readonly #files: ClientIdentityFiles;
  readonly #fail: Fail;
  #last: Identity;

  /** Throws what `fail` makes for files that cannot be read or do not fit each other. */
  constructor(files: ClientIdentityFiles, fail: Fail) {
    this.#files = files;
    this.#fail = fail;
    this.#last = read(files, fail);
  }

  /** As it was read last. */
  get last(): Identity {
    return this.#last;
  }

  /** As the files are now; `onStale` is told why they cannot be used where they are as they were. */
  now(onStale: (error: unknown) => void): Identity {
    try {
      this.#last = read(this.#files, this.#fail);
    } catch (error) {
      onStale(error);
    }
    return this.#last;
  }
}

function read({ certFile, keyFile, passphrase }: ClientIdentityFiles, fail: Fail): Identity {
  if (certFile === undefined && keyFile === undefined) return {};
  if (keyFile === undefined) throw fail('keyFile', 'is missing; a certificate needs its key');
  if (certFile === undefined) throw fail('certFile', 'is missing; a key needs its certificate');
  const identity = {
    cert: readNamed(certFile, (problem) => fail('certFile', problem)),
    key: readNamed(keyFile, (problem) => fail('keyFile', problem)),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  try {
    createSecureContext(identity);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw fail('keyFile', `does not open with the passphrase given, or does not fit the certificate (${code})`);
  }
  return identity;
}
