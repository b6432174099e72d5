export { ArchiveError, ARCHIVE_ERRORS, type ArchiveErrorCode } from './errors.ts';
export { expandSources, type SourceArgument } from './expand-sources.ts';
export { inspectArchive, type Archive } from './inspect-archive.ts';
export { describeLink, type LinkRuleOptions } from './link-rules.ts';
export { DOWNLOAD_RETRY, spool, type DownloadRetry, type SpooledFile, type SpoolOptions } from './spool.ts';
export { type ArchiveLimits } from './zip-directory.ts';
