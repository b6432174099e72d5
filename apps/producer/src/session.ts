import { OperationalError } from '@genesys-kafka/resilience';
import { createLogger, unavailable, type Logger, type Settings } from '@genesys-kafka/runtime';
import { readSettings } from './config.ts';
import { createContext, type ProducerContext, type ProducerObserver } from './context.ts';

/** Options of every command. */
export interface Common {
  readonly config?: string;
  readonly json?: boolean;
}

export class NotBuiltError extends OperationalError {
  constructor(features: readonly string[]) {
    super('not-available', `Not available in this version: ${features.join(', ')}. Leave it out of the configuration.`, {
      scope: 'usage',
    });
  }
}

/** Settings and logger of a command. */
export function begin(common: Common): { readonly settings: Settings; readonly log: Logger } {
  const settings = readSettings(common.config);
  return { settings, log: createLogger({ name: 'producer', level: settings.log.level }) };
}
