import { OperationalError } from '@genesys-kafka/resilience';
import {
  createLogger,
  createMetrics,
  createProgress,
  startHealthServer,
  unavailable,
  type Logger,
  type Progress,
} from '@genesys-kafka/runtime';
import { readSettings } from '../config.ts';
import type { Settings } from '../settings.ts';
import { createObserver, type Observer } from './observer.ts';

/** Options of every command. */
export interface Common {
  readonly config?: string;
  readonly json?: boolean;
}

/** What surrounds a command that publishes: settings, logger, progress, metrics, health. */
export interface Session extends AsyncDisposable {
  readonly settings: Settings;
  readonly log: Logger;
  readonly progress: Progress;
  readonly observer: Observer;
}

class NotBuiltError extends OperationalError {
  constructor(features: readonly string[]) {
    const list = features.join(', ');
    super('not-available', `Not available in this version: ${list}. Leave it out of the configuration.`, {
      scope: 'usage',
    });
  }
}

/** Throws for settings that this version would have to ignore. */
export function refuseUnavailable(settings: Settings): void {
  const missing = unavailable(settings, 'publish');
  if (missing.length > 0) throw new NotBuiltError(missing);
}

/** What a command that publishes begins with. */
export async function begin(common: Common, signal: AbortSignal): Promise<Session> {
  const settings = readSettings(common.config);
  refuseUnavailable(settings);
  await using stack = new AsyncDisposableStack();
  const progress = stack.use(createProgress());
  const metrics = stack.use(createMetrics());
  // A terminal's bars and log lines share it; elsewhere the logger writes by itself.
  const destination = process.stderr.isTTY ? { destination: progress.log, pretty: true } : {};
  const log = createLogger({ name: 'producer', level: settings.log.level, ...destination });
  const observer = stack.use(createObserver(metrics, progress, log));
  const server = await startHealthServer({ ...settings.http, metrics, signal, ready: observer.ready });
  if (server) stack.use(server);
  const resources = stack.move();
  return { settings, log, progress, observer, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
