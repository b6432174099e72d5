import { loadSettings, type Settings } from '@genesys-kafka/runtime';

/** The one place where this program reads its environment. Throws a ConfigError that lists every problem. */
export function readSettings(file: string | undefined): Settings {
  return loadSettings({ env: process.env, ...(file === undefined ? {} : { file }) });
}
