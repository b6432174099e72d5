import type { Archive } from '@genesys-kafka/archive';
import { ParserError, scanRecords, type ScanOptions } from '@genesys-kafka/record-parser';
import { unlessAborted } from '@genesys-kafka/resilience';
import { StageFile } from '../stage/stage-file.ts';
import type { StagedStep, Stager } from '../stage/staged-step.ts';
import type { SourceFacts } from '../stage/thread-messages.ts';
import { mapAhead } from './map-ahead.ts';
import { inSegments } from './segments.ts';

/** Told of the bytes of an archive, unpacked: how many there are, and as they are read. */
export interface StageObserver {
  onStaging(bytes: number): void;
  onStaged(bytes: number): void;
}

/** How sources are read, and where what comes of an archive lies meanwhile. */
export interface StageOptions {
  readonly scan: ScanOptions;
  readonly stager: Stager;
  readonly spoolDir: string;
  readonly observer?: StageObserver;
}

/** An archive that was read once from end to end and found whole, as it will be sent. */
export interface StagedArchive extends AsyncDisposable {
  /** What it was staged from: records before it are digested alone. */
  readonly from: number;
  /** Records that it holds, up to the fault where it has one. */
  readonly records: number;
  /** Why its document cannot be read on after them: they stand. */
  readonly fault: ParserError | undefined;
  steps(): AsyncIterable<StagedStep>;
}

/**
 * The first of two passes: inflates, checks, scans, validates and encodes an archive into a file, and sends nothing. So
 * nothing is ever published of an archive that is damaged, or of a document with text behind its end (ArchiveError,
 * ParserError `trailing-text`). Where the document breaks in its midst the records before the fault are staged.
 * Memory: the segments that are under way, a piece or two, and the record that spans pieces.
 */
export async function stageArchive(
  archive: Archive,
  facts: SourceFacts,
  from: number,
  { scan, stager, spoolDir, observer }: StageOptions,
  signal: AbortSignal,
): Promise<StagedArchive> {
  await using stack = new AsyncDisposableStack();
  const file = stack.use(await StageFile.create(spoolDir));
  async function* content(): AsyncGenerator<Buffer> {
    for await (const chunk of archive.open(signal)) {
      observer?.onStaged(chunk.length);
      yield chunk;
    }
  }
  const segments = inSegments(scanRecords(content(), scan), from);
  observer?.onStaging(archive.uncompressedBytes);
  let records = 0;
  let fault: ParserError | undefined;
  try {
    for await (const step of mapAhead(segments, stager.ahead, async (segment) =>
      unlessAborted(stager.stage(segment, facts), signal),
    )) {
      signal.throwIfAborted();
      await file.append(step);
      records += step.facts.count;
      step.release?.();
    }
  } catch (error) {
    if (!(error instanceof ParserError) || error.code === 'trailing-text') throw error;
    fault = error;
    await readToItsEnd(archive, signal);
  }
  const resources = stack.move();
  return {
    from,
    records,
    fault,
    steps: () => file.steps(),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  };
}

/** Only to see that it is whole. Raises ArchiveError. */
export async function readToItsEnd(archive: Archive, signal: AbortSignal): Promise<void> {
  const content = archive.open(signal)[Symbol.asyncIterator]();
  while ((await content.next()).done !== true) signal.throwIfAborted();
}
