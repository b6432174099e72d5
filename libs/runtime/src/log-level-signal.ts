import type { Logger } from './logger.ts';

/**
 * SIGUSR2 makes the log tell everything (debug), and a second one as much as before, without a restart. Dispose of it to
 * take the signal's default back, which ends the process.
 */
export function followLevelSignal(log: Logger): Disposable {
  const configured = log.level;
  const onSignal = () => {
    log.level = log.level === configured ? 'debug' : configured;
    // At a level that is shown in any case: whoever sent the signal looks for the answer.
    log.warn({ level: log.level }, 'log level changed by SIGUSR2');
  };
  process.on('SIGUSR2', onSignal);
  return { [Symbol.dispose]: () => void process.off('SIGUSR2', onSignal) };
}
