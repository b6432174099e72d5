// `createGenesysClient` is `@genesys-kafka/genesys-client/client`: it comes with an HTTP client, which is slow to load.
export { rateHeadersOf } from './budget/rate-headers.ts';
export type { BudgetState } from './budget/request-budget.ts';
export type { GenesysClient } from './client.ts';
export type { ClientEvent } from './events.ts';
export { GenesysError } from './errors.ts';
export { readInstant } from './instant.ts';
export { regionOrigins } from './regions.ts';
