export type { BulkArchiveApi } from './bulk-archive.ts';
export { createGenesysClient, type GenesysClient } from './client.ts';
export type { AvailabilityApi, DetailsJobsApi } from './details-jobs.ts';
export {
  AnswerTooLargeError,
  BadAnswerError,
  BadRequestError,
  ConnectionError,
  CursorRefusedError,
  GenesysSettingsError,
  GenesysTimeoutError,
  HostNotFoundError,
  JobGoneError,
  LoginFailedError,
  PermissionMissingError,
  ProxyError,
  RateLimitedError,
  ServerError,
  TlsError,
  TokenRefusedError,
  type CallFacts,
} from './errors.ts';
export type { ClientEvent, OnEvent } from './events.ts';
export type { JobStatus } from './job.ts';
export type { GenesysClientOptions } from './options.ts';
export { regionOrigins, type RegionOrigins } from './regions.ts';
