import { ArchiveError } from './errors.ts';

/** The error that a failed file operation on an input means; anything unknown is passed through. */
export function readFailure(error: unknown, path: string): unknown {
  const code = errno(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ArchiveError('archive-missing', `There is no file ${path}.`, { cause: error });
  }
  if (code === 'EISDIR') return new ArchiveError('archive-missing', `${path} is a directory.`, { cause: error });
  if (code === undefined) return error;
  return new ArchiveError('archive-unreadable', `Cannot read ${path} (${code}).`, { cause: error });
}

/** The error that a failed operation on a file of the spool means. */
export function spoolFailure(error: unknown, spoolDir: string): unknown {
  const code = errno(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new ArchiveError('spool-full', `No space left in ${spoolDir} (${code}).`, { cause: error });
  }
  if (code === undefined) return error;
  return new ArchiveError('spool-unwritable', `Cannot write into, or read from, ${spoolDir} (${code}).`, {
    cause: error,
  });
}

/** Only system calls' errors count, never a library's own codes. */
function errno(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
