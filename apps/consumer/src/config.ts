import { requireModernTls, trustCaFile } from '@genesys-kafka/http/settings';
import { loadSettings, type SettingsSources } from '@genesys-kafka/runtime/cli';
import { SETTINGS, type Settings } from './settings.ts';

/** The one place where this program reads its environment. Throws a ConfigError that lists every problem. */
export function readSettings(given: Omit<SettingsSources, 'env'>): Settings {
  const settings = loadSettings(SETTINGS, { env: process.env, ...given });
  requireModernTls();
  if (settings.tls.caFile !== undefined) trustCaFile(settings.tls.caFile);
  return settings;
}
