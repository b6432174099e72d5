import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { outputFailed } from './errors.ts';
import { redactText } from './redaction.ts';
import { safeJson, visibleText } from './visible-text.ts';

/** Writes exactly one JSON document and a line break to stdout; resolves when it is handed to the system. */
export async function printJson(document: unknown): Promise<void> {
  await write(process.stdout, `${safeJson(document)}\n`);
}

/** Writes lines for people to stdout, each made safe: what came out of a record forges no line, colour or direction. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${visibleText(line)}\n`).join(''));
}

/** Writes what comes to stdout, as it comes. A reader that goes away (`| head`) ends it, and is no error. */
export async function printPieces(pieces: AsyncIterable<string | Buffer>, signal?: AbortSignal): Promise<void> {
  const told: unknown[] = [];
  const listen = (error: Error) => void told.push(error);
  process.stdout.on('error', listen);
  try {
    await pipeline(Readable.from(pieces), process.stdout, { end: false, ...(signal ? { signal } : {}) });
  } catch (error) {
    // What makes the pieces may fail as well.
    if (!told.includes(error)) throw error;
    if (!isBrokenPipe(error)) throw outputFailed('stdout', error as Error);
  } finally {
    process.stdout.off('error', listen);
  }
}

/**
 * What is said of an error, which may quote anything: without secrets, and its further lines are indented, so that a
 * file's name with a line break in it cannot pass for an error of its own.
 */
export function toldText(text: string): string {
  return redactText(text, { keepLines: true }).replace(/\n(?=\S)/g, '\n  ');
}

/** Resolves when all that was written to stdout and stderr before is handed to the system, or nobody reads it. */
export async function flush(): Promise<void> {
  await Promise.all([write(process.stdout, ''), write(process.stderr, '')]);
}

/**
 * A reader that went away (`| head`) is no error: what follows is dropped. Any other failure to write is told to
 * `onError`, as a full disk behind `> file` must not look like success.
 */
export function quietBrokenPipes(onError: (error: Error) => void): void {
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].on('error', (error: NodeJS.ErrnoException) => {
      if (!isBrokenPipe(error)) onError(outputFailed(name, error));
    });
  }
}

function isBrokenPipe(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ERR_STREAM_WRITE_AFTER_END';
}

async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (stream.destroyed || !stream.writable) return;
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  stream.write(text, (error) => {
    if (error && !isBrokenPipe(error)) reject(error);
    else resolve(undefined);
  });
  await promise;
}
