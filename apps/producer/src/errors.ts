import { OperationalError } from '@genesys-kafka/resilience';

/** What a resumed source brings is not what was published from it: nothing is spliced. */
export class SourceChangedError extends OperationalError {
  constructor(sourceId: string, records: number) {
    super(
      'source-changed',
      `Source ${sourceId} no longer brings the ${records} records that were published from it, so this run cannot go on ` +
        'where the last one stopped. Those records stand. Run again with --again to publish the whole source anew.',
      { scope: 'source', details: { records } },
    );
  }
}

export class TooManyInvalidError extends OperationalError {
  constructor(invalid: number, read: number, maxShare: number) {
    super(
      'too-many-invalid',
      `${invalid} of the first ${read} records do not match the schema, more than invalid.max allows (${maxShare * 100} %). ` +
        'They are on the dead-letter topic with the reasons. Correct the source or the schema, or raise invalid.max, then run the same command again.',
      { scope: 'source', details: { invalid, read } },
    );
  }
}

export class TruncatedArchiveError extends OperationalError {
  constructor(size: number) {
    super(
      'truncated-by-size',
      `The archive holds exactly ${size} records, the most that its query allows, so its tail is probably missing. ` +
        'The records it holds are published. Use a smaller --window, or raise "size" in the --query file.',
      { scope: 'source', details: { size } },
    );
  }
}

/** The job that a window was being read from cannot be read to its end, and some of its records are published. */
export class SourceGoneError extends OperationalError {
  constructor(jobId: string, records: number, cause: Error) {
    super(
      'source-gone',
      `Job ${jobId} can no longer be read (${cause.message}), after ${records} of its records were published. ` +
        'Those records stand. Run again with --again to read the window from a new job; it publishes all of its records anew.',
      { scope: 'source', cause, details: { records } },
    );
  }
}

export class NotYetAvailableError extends OperationalError {
  constructor(window: string, availableUntil: Date, isRead = false) {
    super(
      'not-yet-available',
      `Window ${window} reaches past what Genesys has made available (until ${availableUntil.toISOString()}); a job for it would ` +
        `silently miss its tail. Run the same command again later${isRead ? ' with --again: the job that was read never gets its tail' : ''}.`,
      { scope: 'source' },
    );
  }
}

export class CursorLoopError extends OperationalError {
  constructor(jobId: string, page: number) {
    super(
      'cursor-loop',
      `Job ${jobId} answered page ${page} with a cursor that it had given before; its pages have no end. ` +
        'The records before it are published. Run again with --again to read the window from a new job.',
      { scope: 'source', details: { page } },
    );
  }
}

/** An answer with status 200 that is a JSON object, but no page of results: taken for the last one it would hide the rest. */
export class NoPageError extends OperationalError {
  constructor(jobId: string, page: number, why: string) {
    super(
      'bad-answer',
      `Page ${page} of job ${jobId} is no page of results: ${why}. The records before it are published. Run the same command ` +
        'again; with --again the window is read from a new job.',
      { scope: 'source', details: { page } },
    );
  }
}

export class OtherWindowsError extends OperationalError {
  constructor(exportId: string) {
    super(
      'other-windows',
      `Export ${exportId} was begun with another --window, and its windows are in the ledger. ` +
        'Use the same --window to go on with it, or --again to publish the whole interval anew.',
      { scope: 'usage' },
    );
  }
}

export class TopicUnfitError extends OperationalError {
  constructor(problems: readonly string[]) {
    super('topic-unfit', `A topic that exists does not fit, and this program never alters one: ${problems.join(' ')}`);
  }
}

export class NoResultsLinkError extends OperationalError {
  constructor(jobId: string, state: string) {
    super(
      'no-results-link',
      `Job ${jobId} is ${state} and gives no link to its archive. Run the same command again; if it stays so, check the job's permissions and its contract.`,
      { scope: 'source', details: { jobId, state } },
    );
  }
}
