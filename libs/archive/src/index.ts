export { ArchiveError } from './errors.ts';
export { expandSources } from './expand-sources.ts';
export { inspectArchive, type Archive } from './inspect-archive.ts';
export { checkSpool, spoolRoom } from './download/check-spool.ts';
export { spool, type SpooledFile } from './download/spool.ts';
export { SpoolFile } from './download/spool-file.ts';
