import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { writeArchive } from './archives/write-archive.ts';
import type { Container } from './archives/write-archive.ts';
import { GeneratedConversations } from './conversations/generated-conversations.ts';
import { parsePopulation, SimulatorOptionsError } from './options.ts';
import type { PopulationOptions } from './options.ts';

export interface GeneratedArchive {
  readonly file: string;
  readonly container: Container;
  readonly records: number;
  /** How many of them are invalid. */
  readonly invalid: number;
  /** Bytes of JSON, before compression. */
  readonly jsonBytes: number;
  /** Bytes of the file. */
  readonly fileBytes: number;
  readonly seconds: number;
}

const CONTAINERS: readonly (readonly [RegExp, Container])[] = [
  [/\.zip$/i, 'zip'],
  [/\.(ndjson|jsonl)\.gz$/i, 'ndjson.gz'],
  [/\.(ndjson|jsonl)$/i, 'ndjson'],
  [/\.gz$/i, 'json.gz'],
  [/\.json$/i, 'json'],
];

/**
 * Writes all conversations of a population to a file as a stream: a ZIP, JSON, gzip or NDJSON by the file's name.
 * The file appears under its name when it is whole.
 * @throws SimulatorOptionsError for a name of another kind or bad settings; Node's own error where writing fails.
 */
export async function generateArchive(
  file: string,
  options: PopulationOptions,
  signal?: AbortSignal,
): Promise<GeneratedArchive> {
  const container = CONTAINERS.find(([pattern]) => pattern.test(file))?.[1];
  if (!container) {
    throw new SimulatorOptionsError(['out: the name must end in .zip, .json, .json.gz, .ndjson or .ndjson.gz']);
  }
  const settings = parsePopulation(options);
  const conversations = new GeneratedConversations({
    seed: settings.seed,
    records: settings.records,
    fromMs: settings.from,
    toMs: settings.to,
    invalidShare: settings.invalid,
  });
  const started = performance.now();
  const partial = `${file}.partial`;
  const tally = { invalid: 0 };
  try {
    const written = await writeArchive(conversations, counted(conversations, tally), createWriteStream(partial), {
      container,
      compressionLevel: settings.compressionLevel,
      ...(signal ? { signal } : {}),
    });
    await rename(partial, file);
    const seconds = Math.round(performance.now() - started) / 1000;
    const fileBytes = (await stat(file)).size;
    return { file, container, records: settings.records, ...tally, jsonBytes: written.jsonBytes, fileBytes, seconds };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function* counted(conversations: GeneratedConversations, tally: { invalid: number }): Generator<number, void> {
  for (let index = 0; index < conversations.records; index++) {
    if (conversations.isInvalid(index)) tally.invalid += 1;
    yield index;
  }
}
