/** What this program reads of the configuration. */
export type { Settings, SinkSettings } from '@genesys-kafka/runtime';
