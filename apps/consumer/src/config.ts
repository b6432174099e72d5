import { ConfigError, loadSettings, trustCaFile, unavailable, type SettingsSources } from '@genesys-kafka/runtime';
import type { Settings } from './settings.ts';

/**
 * The one place where this program reads its environment. Throws a ConfigError that lists every problem, features that
 * this version does not have among them.
 */
export function readSettings(given: Omit<SettingsSources, 'env'>): Settings {
  const settings = loadSettings({ env: process.env, ...given });
  const missing = unavailable(settings, 'consume');
  if (missing.length > 0) {
    const fix = 'leave it out';
    throw new ConfigError(missing.map((path) => ({ path, problem: 'is not available in this version', fix })));
  }
  if (settings.tls.caFile !== undefined) trustCaFile(settings.tls.caFile);
  return settings;
}
