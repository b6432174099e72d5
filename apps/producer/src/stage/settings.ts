import { availableParallelism } from 'node:os';
import { count } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

const MOST_BY_DEFAULT = 4;

/** `staging`: how records are made ready to be sent. */
export const STAGING_SECTION = z
  .strictObject({
    threads: count(1, 64)
      .optional()
      .meta({
        description: `Threads that validate and encode records. Without it one less than there are cores, and ${MOST_BY_DEFAULT} at most. Each takes some 40 MiB.`,
      }),
  })
  .transform(({ threads = Math.min(MOST_BY_DEFAULT, Math.max(1, availableParallelism() - 1)) }) => ({ threads }))
  .prefault({});
