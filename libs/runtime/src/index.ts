export { ConfigError, RUNTIME_ERRORS, RuntimeError } from './errors.ts';
export { hideSecret, redactText } from './redaction.ts';
export { visibleText } from './visible-text.ts';
export { type GivenFlag, loadSettings, type SettingsSources } from './settings/load-settings.ts';
export { parseDurationMs, parseInstantMs } from './settings/quantities.ts';
export { settingsJsonSchema, settingsReference, type SettingReference } from './settings/reference.ts';
export { missingSetting, requireSettings } from './settings/require-settings.ts';
export { type Check, type CheckResult, runChecks } from './cli/check.ts';
export { createProgram, type Handle, lookOnly, runProgram } from './cli/program.ts';
export type { Session } from './cli/session.ts';
export { settingOptions } from './cli/setting-options.ts';
export { Interruption } from './interruption.ts';
export { createLogger, type Logger } from './logger.ts';
export { explain, type MainContext, runMain } from './run-main.ts';
export { formatAmount, type Unit } from './amounts.ts';
export { type HealthServer, type Readiness, startHealthServer } from './health.ts';
export {
  type Counter,
  createMetrics,
  type EventLoopDelay,
  type Gauge,
  type Histogram,
  type Metrics,
} from './metrics.ts';
export { createProgress, type Progress, type ProgressTask } from './progress.ts';
