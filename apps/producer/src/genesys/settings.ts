import { count, duration, inMs } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/** `clock`: how far clocks may be apart. */
export const CLOCK_SECTION = z
  .strictObject({
    maxSkew: duration(1000).prefault('5m').meta({
      description: "Most that this machine's clock and that of Genesys, a files host or the registry may be apart.",
    }),
  })
  .transform(inMs('maxSkew'))
  .prefault({});

/** Keys of `genesys`: what is asked for, and how much of it at a time. */
export const JOB_KEYS = {
  contract: z.enum(['details-jobs', 'bulk-archive']).prefault('details-jobs').meta({
    env: 'GENESYS_CONTRACT',
    description: 'How results come back: pages with a cursor, or a signed link to a ZIP.',
  }),
  query: z.record(z.string(), z.unknown()).prefault({}).meta({
    kind: 'object',
    description: "The contract's submit body without its interval. `--query file.json` replaces it.",
  }),
  pageSize: count(1, 1000).prefault(1000).meta({ description: 'Records asked for in a page (details-jobs).' }),
  concurrentJobs: count(1, 100).prefault(2).meta({ description: 'Jobs in flight at a time.' }),
  concurrentDownloads: count(1, 10).prefault(5).meta({ description: 'Archives downloaded at a time.' }),
};
