export { createGenesysClient, type GenesysClient } from './client.ts';
export { GenesysError } from './errors.ts';
export { regionOrigins } from './regions.ts';
