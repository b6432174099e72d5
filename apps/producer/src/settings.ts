/** What this program reads of the configuration. */
export type { Settings } from '@genesys-kafka/runtime';
