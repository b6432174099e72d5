import type { DeliveryOutcome } from '@genesys-kafka/delivery';
import { SinkError } from '../errors.ts';

const TRANSIENT: Readonly<Record<string, readonly [cause: string, reason: string]>> = {
  ENOSPC: ['disk-full', 'no space is left on the disk'],
  EDQUOT: ['disk-full', 'the disk quota is used up'],
  EFBIG: ['disk-full', 'the file has reached the largest size allowed'],
  EMFILE: ['too-many-open-files', 'no file descriptor is left'],
  ENFILE: ['too-many-open-files', 'no file descriptor is left'],
  ENOENT: ['file-deleted', 'the file was deleted while it was being written'],
};

/** Until somebody changes permissions or configuration, every record would meet the same. */
const PERMANENT = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP', 'EEXIST']);

/** What a failed append means: never the record's own fault. */
export function outcomeOfFileFailure(error: unknown): DeliveryOutcome {
  if (error instanceof SinkError)
    return { kind: 'misconfigured', failure: { cause: error.code.replace(/^sink-/, ''), reason: error.message } };
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  if (PERMANENT.has(code))
    return {
      kind: 'misconfigured',
      failure: { cause: 'file-refused', reason: `the file may not be written (${code})` },
    };
  const [cause, reason] = TRANSIENT[code] ?? ['io-error', `the file could not be written (${code})`];
  return { kind: 'retry', failure: { cause, reason } };
}
