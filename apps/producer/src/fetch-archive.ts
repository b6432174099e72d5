import { inspectArchive, spool, type Archive, type ArchiveLimits, type SpoolOptions } from '@genesys-kafka/archive';

/** An archive that goes away with what was spooled for it. */
export type OpenArchive = Archive & AsyncDisposable;
