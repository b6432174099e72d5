import { OperationalError, type Scope } from '@genesys-kafka/resilience';

interface Row {
  readonly scope: Scope;
  readonly retry: boolean;
  /** Ends every message of this code: what the reader should do. */
  readonly remedy: string;
}

const source = (remedy: string): Row => ({ scope: 'source', retry: false, remedy });

/** Every code of this library. Scripts depend on the names; a new meaning is a new code. */
export const ARCHIVE_ERRORS = {
  // Finding and reading the file.
  'archive-missing': source('Check the path.'),
  'archive-unreadable': source('Check its permissions and the disk.'),
  'archive-changed': source('Leave the file alone while it is published, then run the command again.'),
  // What the file is.
  'archive-empty': source('An export without records is the array []; fetch the file again.'),
  'not-an-archive': source(
    'Give a ZIP, gzip, JSON or NDJSON file; an error page often means that the link has expired.',
  ),
  'archive-nested': source('Unpack the outer archive first.'),
  'archive-unsupported': source('Pack the JSON again as a plain ZIP (deflate or stored).'),
  'archive-encrypted': source('Pack the JSON again without a password.'),
  'archive-no-json': source('Pack exactly one .json, .ndjson or .jsonl file.'),
  'archive-ambiguous-entries': source('Pack exactly one .json, .ndjson or .jsonl file.'),
  // Whether it is whole.
  'archive-truncated': source('Fetch the file again.'),
  'archive-trailing-data': source('Fetch the file again; nothing may follow the end of the archive.'),
  'archive-corrupt': source('Fetch the file again.'),
  'archive-ambiguous': source('Pack the JSON again: readers would disagree about what this archive holds.'),
  'archive-size-mismatch': source('Fetch the file again.'),
  'archive-crc-mismatch': source('Fetch the file again.'),
  // Limits.
  'archive-bomb': source('If the archive can be trusted, raise archive.maxRatio.'),
  'archive-too-large': source('If the archive can be trusted, raise archive.maxBytes.'),
  'archive-too-many-entries': source('Pack exactly one .json, .ndjson or .jsonl file.'),
  // The link.
  'link-malformed': source('Give an absolute https: link without a user name in it.'),
  'link-insecure': source('Use https:, or set ALLOW_INSECURE_HTTP=true on a network you trust.'),
  'link-host-not-allowed': source('If this host is the right one, add it to GENESYS_FILE_HOSTS.'),
  'link-address-not-allowed': source(
    'Check the name; files are fetched from public addresses or a listed loopback host.',
  ),
  'link-refused': source('The link has expired or lacks permission; ask for a new one.'),
  'link-too-many-redirects': source('Check the files host.'),
  // The download.
  'download-failed': { scope: 'source', retry: true, remedy: 'Run the command again when the files host answers.' },
  'download-refused': source('Check the link and the files host.'),
  'download-untrusted': source('Check the certificate, or name its authority in the CA setting.'),
  'download-encoding': source('Ask the files host for the file without a Content-Encoding.'),
  'download-bad-range': source('The files host answers range requests wrongly; fetch the file by other means.'),
  'download-too-large': source('If the archive can be trusted, raise archive.maxBytes.'),
  'source-changed': source('The file changes while it is read; run the command again when it is final.'),
  // This machine.
  'spool-full': { scope: 'run', retry: false, remedy: 'Free some space, or point SPOOL_DIR to a larger disk.' },
  'spool-unwritable': { scope: 'run', retry: false, remedy: 'Check SPOOL_DIR.' },
  // The command line.
  'source-unsupported': { scope: 'usage', retry: false, remedy: 'Give a path, a directory, a glob or an https: link.' },
} as const satisfies Record<string, Row>;

export type ArchiveErrorCode = keyof typeof ARCHIVE_ERRORS;

export interface ArchiveErrorOptions {
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
}

/** Anything that keeps an archive from being fetched, trusted or read. Messages carry no query string and no body. */
export class ArchiveError extends OperationalError {
  declare readonly code: ArchiveErrorCode;

  constructor(code: ArchiveErrorCode, what: string, options: ArchiveErrorOptions = {}) {
    const { scope, retry, remedy }: Row = ARCHIVE_ERRORS[code];
    super(code, `${what}. ${remedy}`, { scope, retry, ...options });
  }
}

/** The error that a failed file operation on an input means; anything unknown is passed through. */
export function readFailure(error: unknown, path: string): unknown {
  const code = errno(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ArchiveError('archive-missing', `There is no file ${path}`, { cause: error });
  }
  if (code === 'EISDIR') return new ArchiveError('archive-missing', `${path} is a directory`, { cause: error });
  if (code === undefined) return error;
  return new ArchiveError('archive-unreadable', `Cannot read ${path} (${code})`, { cause: error });
}

/** The error that a failed write into the spool means. */
export function spoolFailure(error: unknown, spoolDir: string): unknown {
  const code = errno(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new ArchiveError('spool-full', `No space left in ${spoolDir} (${code})`, { cause: error });
  }
  if (code === undefined) return error;
  return new ArchiveError('spool-unwritable', `Cannot write into ${spoolDir} (${code})`, { cause: error });
}

/** Only system calls' errors count, never a library's own codes. */
function errno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A name from inside an archive, safe to print: printable ASCII, quoted, at most 80 characters. */
export function printable(name: string): string {
  const shown = name.length > 80 ? `${name.slice(0, 77)}...` : name;
  return JSON.stringify(shown).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
