export { isLoopback } from './loopback.ts';
export { trustCaFile } from './trust.ts';
