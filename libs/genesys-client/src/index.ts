export { createGenesysClient, type GenesysClient } from './client.ts';
export { GenesysError } from './errors.ts';
export { readInstant } from './instant.ts';
export { regionOrigins } from './regions.ts';
