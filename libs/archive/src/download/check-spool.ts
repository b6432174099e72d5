import { access, constants, mkdir } from 'node:fs/promises';
import { spoolFailure } from '../file-failures.ts';

/** Makes the spool directory where it is missing, and tries it. Throws `spool-unwritable` or `spool-full`. */
export async function checkSpool(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.W_OK);
  } catch (error) {
    throw spoolFailure(error, dir);
  }
}
