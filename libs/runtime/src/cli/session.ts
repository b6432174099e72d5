import { followLevelSignal } from '../log-level-signal.ts';
import { createLogger, type Logger, type LogLevel } from '../logger.ts';
import { printJson, printLines } from '../output.ts';
import { createProgress, type Progress } from '../progress.ts';

/** What every program's settings have. */
export interface ProcessSettings {
  readonly log: { readonly level: LogLevel };
}

/** What surrounds one run of one command. */
export interface Session<S> {
  readonly settings: S;
  readonly log: Logger;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Whether `--json` asks for one document, for what is too long to be told at once. */
  readonly json: boolean;
  /** Prints lines for people at once; with `--json` they are left out. */
  readonly say: (...lines: readonly string[]) => void;
  /** Ends the progress, and prints what the command found: one JSON document with `--json`, otherwise lines. */
  readonly tell: <T>(document: T, lines: (document: T) => readonly string[]) => Promise<void>;
}

export interface SessionOptions<S> {
  /** Of the program, in its log lines. */
  readonly name: string;
  readonly settings: S;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Dispose of it when the command has ended, however it ended. */
export function openSession<S extends ProcessSettings>(options: SessionOptions<S>): Session<S> & Disposable {
  const { name, settings, json, signal } = options;
  const progress = createProgress();
  // A terminal's bars and log lines share it; elsewhere the logger writes by itself.
  const destination = process.stderr.isTTY ? { destination: progress.log, pretty: true } : {};
  const log = createLogger({ name, level: settings.log.level, ...destination });
  const following = followLevelSignal(log);
  return {
    settings,
    log,
    progress,
    signal,
    json,
    say: (...lines) => {
      if (!json) printLines(lines);
    },
    tell: async (document, lines) => {
      progress[Symbol.dispose]();
      if (json) await printJson(document);
      else printLines(lines(document));
    },
    [Symbol.dispose]: () => {
      following[Symbol.dispose]();
      progress[Symbol.dispose]();
    },
  };
}
