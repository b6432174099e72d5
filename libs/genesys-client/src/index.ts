export { createGenesysClient, type GenesysClient } from './client.ts';
export { GENESYS_ERRORS, GenesysError } from './errors.ts';
export { regionOrigins } from './regions.ts';
