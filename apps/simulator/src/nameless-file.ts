import { mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new file on disk that has lost its name already: nothing remains of it, whatever ends the process. */
export async function openNameless(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), 'genesys-simulator-'));
  try {
    return await open(join(directory, 'spool'), 'wx+', 0o600);
  } finally {
    await rm(directory, { recursive: true });
  }
}
