export { ConfigError, type SettingProblem } from './errors.ts';
export { hideSecret, redactText } from './redaction.ts';
export { type GivenFlag, loadSettings, type SettingsSources } from './settings/load-settings.ts';
export { parseBytes, parseDurationMs, parseInstantMs, parseRatio } from './settings/quantities.ts';
export { settingsJsonSchema, settingsReference, type SettingReference } from './settings/reference.ts';
export { missingSetting, requireSettings } from './settings/require-settings.ts';
export type { RouteSettings, Settings, SinkSettings } from './settings/settings.ts';
export { notYet, unavailable, type Use } from './settings/unavailable.ts';
export { Interruption } from './interruption.ts';
export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { printJson } from './output.ts';
export { explain, type MainContext, runMain, type RunMainOptions } from './run-main.ts';
export { formatAmount, type Unit } from './amounts.ts';
export { type HealthOptions, type HealthServer, type Readiness, startHealthServer } from './health.ts';
export {
  type Counter,
  createMetrics,
  type EventLoopDelay,
  type Gauge,
  type Histogram,
  type Metrics,
} from './metrics.ts';
export { createProgress, type Progress, type ProgressOptions, type ProgressTask } from './progress.ts';
export { trustCaFile } from './trust.ts';
