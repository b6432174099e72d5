import { access, constants, lstat, mkdir, stat, statfs } from 'node:fs/promises';
import { ArchiveError } from '../errors.ts';
import { spoolFailure } from '../file-failures.ts';

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Makes the spool directory where it is missing, and tries it: it must be ours, so that nobody can put another file in
 * the place of one that was verified. Throws `spool-not-ours`, `spool-unwritable` or `spool-full`.
 */
export async function checkSpool(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { uid, mode } = await stat(dir);
    const we = process.getuid?.();
    const link = await lstat(dir);
    // Without user ids there is nothing to compare. Whoever is root may do anything anyway.
    const stranger = [uid, link.uid].find((owner) => owner !== we && owner !== 0);
    if (we !== undefined && stranger !== undefined) {
      throw new ArchiveError('spool-not-ours', `${dir} belongs to user ${stranger}, and this is user ${we}.`);
    }
    if (we !== undefined && (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) {
      const shown = (mode & 0o7777).toString(8).padStart(4, '0');
      throw new ArchiveError('spool-not-ours', `Others may replace files in ${dir} (its mode is ${shown}).`);
    }
    await access(dir, constants.W_OK);
  } catch (error) {
    throw spoolFailure(error, dir);
  }
}

/** Bytes that may still be written to a spool directory that `checkSpool` has passed. Throws `spool-full` where none may. */
export async function spoolRoom(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir).catch((error: unknown) => {
    throw spoolFailure(error, dir);
  });
  if (bavail === 0) throw new ArchiveError('spool-full', `${dir} has no space left.`);
  return bavail * bsize;
}
