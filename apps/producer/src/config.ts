import { loadSettings, trustCaFile } from '@genesys-kafka/runtime';
import type { Settings } from './settings.ts';

/** The one place where this program reads its environment. Throws a ConfigError that lists every problem. */
export function readSettings(file: string | undefined): Settings {
  const settings = loadSettings({ env: process.env, ...(file === undefined ? {} : { file }) });
  if (settings.tls.caFile !== undefined) trustCaFile(settings.tls.caFile);
  return settings;
}
