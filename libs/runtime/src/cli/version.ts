import { createRequire } from 'node:module';

/** Of the programs: all packages have the same. */
export const { version: VERSION } = createRequire(import.meta.url)('../../package.json') as {
  readonly version: string;
};
