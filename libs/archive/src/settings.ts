import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { size, text } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/** `archive`: how large an archive may become. */
export const ARCHIVE_SECTION = z
  .strictObject({
    maxRatio: z.number().min(1).max(100_000).prefault(200).meta({
      kind: 'number',
      description: 'Most bytes that one byte of an archive may inflate to; checked before anything is published.',
    }),
    maxBytes: size().prefault('64GiB').meta({ description: 'Most bytes that an archive may inflate to.' }),
  })
  .prefault({});

/** `spool`: where archives lie while they are read. */
export const SPOOL_SECTION = z
  .strictObject({
    dir: text().optional().meta({
      env: 'SPOOL_DIR',
      description:
        "Where archives lie while they are read. Without it, genesys-kafka in the system's temporary directory.",
    }),
  })
  .transform(({ dir }) => ({ dir: dir ?? join(tmpdir(), 'genesys-kafka') }))
  .prefault({});
