import { pino, type Logger as PinoLogger, stdSerializers } from 'pino';
import pretty from 'pino-pretty';
import { redactText, redactJson } from './redaction.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export type Logger = PinoLogger;

export interface LoggerOptions {
  /** Of the process: `producer`, `consumer`. */
  readonly name: string;
  readonly level: LogLevel;
  /** For eyes instead of machines; by default when stderr is a terminal. */
  readonly pretty?: boolean;
  /** Where lines go: stderr, always, outside of tests. */
  readonly destination?: NodeJS.WritableStream;
}

/**
 * A pino logger onto stderr: JSON lines, or readable ones on a terminal. Whatever is logged (bindings, messages,
 * errors with their causes, third parties' objects) passes through the redaction as the last step before writing.
 */
export function createLogger({ name, level, pretty: asked, destination }: LoggerOptions): Logger {
  const target = destination ?? process.stderr;
  const readable = asked ?? (destination === undefined && process.stderr.isTTY);
  const stream = readable
    ? pretty({ destination: target, sync: true, colorize: readable, ignore: 'pid,hostname' })
    : target;
  const error = stdSerializers.err;
  return pino(
    {
      name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: error, error, cause: error, reason: error },
      hooks: { streamWrite: redactLine },
    },
    stream,
  );
}

/** One JSON line, redacted by structure; a line that is not JSON is redacted as text. */
function redactLine(line: string): string {
  try {
    return `${JSON.stringify(redactJson(JSON.parse(line)))}\n`;
  } catch {
    return `${redactText(line)}\n`;
  }
}
