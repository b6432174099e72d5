export { ARCHIVE_ERRORS, ArchiveError } from './errors.ts';
export { expandSources } from './expand-sources.ts';
export { inspectArchive, type Archive } from './inspect-archive.ts';
export { spool, type SpooledFile } from './download/spool.ts';
