/** What a program needs before it knows which command to run: `@genesys-kafka/runtime/cli`, quick to load. */
export { readConfigurationFile } from './settings/configuration-file.ts';
export { createProgram, type Handle, lookOnly, runProgram } from './cli/program.ts';
export { settingOptions } from './cli/setting-options.ts';
export { RuntimeError } from './errors.ts';
export { runMain } from './run-main.ts';
export { loadSettings, type SettingsSources } from './settings/load-settings.ts';
export { parseDurationMs, parseInstantMs } from './settings/quantities.ts';
