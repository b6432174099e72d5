import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

/** Every code of this program's own; its libraries have theirs. */
export const PRODUCER_ERRORS = {
  'source-changed': {
    meaning:
      'A source no longer brings the bytes that it brought before; what belongs to two versions is never joined.',
    remedy: 'Those records stand. Run again with --again to publish the whole source anew.',
    scope: 'source',
  },
  'too-many-invalid': {
    meaning: 'More of the records do not match the schema than invalid.max allows.',
    remedy:
      'They are on the dead-letter topic with the reasons. Correct the source or the schema, or raise invalid.max, ' +
      'then run the same command again.',
    scope: 'source',
  },
  'truncated-by-size': {
    meaning: 'The archive holds as many records as its query allows, so its tail is probably missing.',
    remedy:
      'The records it holds are published. Raise "size" in the --query file, or run again with --again and a smaller --window.',
    scope: 'source',
  },
  'too-many-records': {
    meaning: 'A window of `run` holds more records than windows.maxRecords, or as many as its archive may hold.',
    remedy: 'It is split in two, down to a minute; where that is too much still, raise windows.maxRecords.',
    scope: 'source',
  },
  'source-gone': {
    meaning:
      'The job that a window was being read from cannot be read to its end, and some of its records are published.',
    remedy:
      'Those records stand. Run again with --again to read the window from a new job; it publishes all of its records anew.',
    scope: 'source',
  },
  'not-yet-available': {
    meaning: 'The window reaches past what Genesys has made available: a job for it would silently miss its tail.',
    remedy: 'Run the same command again later.',
    scope: 'source',
  },
  'availability-unreadable': {
    meaning:
      'A page says in a way that cannot be read until when its data is complete, so nobody knows whether its window has its tail.',
    remedy:
      'The records that came are published. Run again with --again to read the window from a new job; if it stays so, ' +
      'check what lies between here and Genesys.',
    scope: 'source',
  },
  'job-repeated': {
    meaning:
      'Genesys gave a window the job of another window, or of an earlier generation: its records are published already.',
    remedy: 'Nothing is published of it. Run the same command again; if it stays so, tell what answers as Genesys.',
    scope: 'source',
  },
  'clock-skew': {
    meaning: "This machine's clock and that of a server are further apart than clock.maxSkew.",
    remedy:
      'Set the clock that is wrong (NTP): tokens and dead letters go by it, and so does retention in a topic that takes ' +
      "the producer's timestamps. Where both are right, raise clock.maxSkew.",
  },
  'query-size': {
    meaning: 'The query\'s "size", by which an archive that was cut off is known, is no whole number above 0.',
    remedy: 'Write a whole number from 1, or leave it out.',
    scope: 'usage',
  },
  'cursor-loop': {
    meaning: "A job's cursor leads back to a page that it has given before: its pages have no end.",
    remedy: 'The records before it are published. Run again with --again to read the window from a new job.',
    scope: 'source',
  },
  'no-page': {
    meaning: 'An answer is a JSON object, but no page of results; taken for the last one it would hide the rest.',
    remedy:
      'The records before it are published. Run the same command again; with --again the window is read from a new job.',
    scope: 'source',
  },
  'other-windows': {
    meaning: 'The export was begun with another --window: two slicings would publish its records twice.',
    remedy: 'Use the same --window to go on with it, or --again to publish the whole interval anew.',
    scope: 'usage',
  },
  'follow-from': {
    meaning: 'The moment from which `run` follows the organisation, windows.from, lies in the future.',
    remedy: 'Set it to the moment from which conversations are wanted.',
    scope: 'usage',
  },
  'follow-size': {
    meaning: 'A window of `run` has to lie in one UTC day, and windows.size does not divide a day.',
    remedy: 'Write 1h, 6h or 1d, or another length that divides a day.',
    scope: 'usage',
  },
  'follow-windows': {
    meaning: 'From windows.from to now there are more windows of windows.size than `run` takes up at its first start.',
    remedy:
      'Write a later windows.from or a larger windows.size: each window is a job, a line of the ledger and a place in ' +
      'memory for good, and neither setting can be changed later.',
    scope: 'usage',
  },
  'other-plan': {
    meaning:
      'The ledger holds windows that were planned with another windows.from, windows.size, contract or query: some would ' +
      'be read twice, or never.',
    remedy:
      'Set what it was begun with, or give what is to be followed now a connector name of its own: its windows are then ' +
      'read and published from the start.',
    scope: 'usage',
  },
  'other-mode': {
    meaning: 'The newest generation of the export was begun with --changed-only, and now goes without, or the reverse.',
    remedy: 'Go on with it as it was begun, or begin the next generation with --again.',
    scope: 'usage',
  },
  'no-results-link': {
    meaning: 'A job is done and gives no link to its archive.',
    remedy: "Run the same command again; if it stays so, check the job's permissions and its contract.",
    scope: 'source',
  },
} as const satisfies ErrorTable;

/** What ends a run, or one source of it, for a reason of this program's own. */
export class ProducerError extends errorsOf(PRODUCER_ERRORS) {}

export function sourceChanged(sourceId: string, records: number): ProducerError {
  const what =
    `Source ${sourceId} no longer brings the ${records} records that were published from it, so this run cannot go on ` +
    'where the last one stopped.';
  return new ProducerError('source-changed', what, { details: { records } });
}

export function tooManyInvalid(invalid: number, read: number, maxShare: number): ProducerError {
  const what =
    `${invalid} of the first ${read} records do not match the schema, more than invalid.max allows ` +
    `(${maxShare * 100} %).`;
  return new ProducerError('too-many-invalid', what, { details: { invalid, read } });
}

export function sourceGone(jobId: string, records: number, cause: Error): ProducerError {
  const what = `Job ${jobId} can no longer be read (${cause.message}), after ${records} of its records were published.`;
  return new ProducerError('source-gone', what, { cause, details: { records } });
}

/** `isRead`: the window's job was submitted too early, and its records are published. */
export function notYetAvailable(window: string, availableUntil: Date, isRead = false): ProducerError {
  const what =
    `Window ${window} reaches past what Genesys has made available (until ${availableUntil.toISOString()}); a job for it ` +
    'would silently miss its tail.';
  const remedy = 'Run the same command again later with --again: the job that was read never gets its tail.';
  return new ProducerError('not-yet-available', what, isRead ? { remedy } : {});
}

/** `skewMs`: how far the host's clock is ahead of ours. */
export function clockSkew(host: string, nowMs: number, skewMs: number, maxSkewMs: number): ProducerError {
  const [ours, theirs] = [nowMs, nowMs + skewMs].map((ms) => new Date(ms).toISOString());
  const what =
    `The clock of this machine says ${ours}, that of ${host} says ${theirs}: ours is ${span(skewMs)} ` +
    `${skewMs > 0 ? 'behind' : 'ahead'}, more than clock.maxSkew (${span(maxSkewMs)}).`;
  return new ProducerError('clock-skew', what, { details: { host, skewMs } });
}

function span(ms: number): string {
  const minutes = Math.abs(ms) / 60_000;
  if (minutes < 120) return `${Number(minutes.toFixed(1))} minutes`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1440)} days`;
}

export function jobRepeated(
  jobId: string,
  window: string,
  other: { readonly window: string; readonly generation: number },
): ProducerError {
  const what = `Job ${jobId} was given for window ${window}, and is that of ${other.window}, generation ${other.generation}.`;
  return new ProducerError('job-repeated', what, { details: { jobId } });
}

export function availabilityUnreadable(window: string): ProducerError {
  const what = `A page of window ${window} has a dataAvailabilityDate that is no date; its tail may be missing.`;
  return new ProducerError('availability-unreadable', what);
}

export function tooManyRecords(sourceId: string, records: number, most: number): ProducerError {
  const what = `Source ${sourceId} holds ${records} records or more, and a window may have ${most}.`;
  return new ProducerError('too-many-records', what, { details: { records, most } });
}

export function truncatedBySize(size: number): ProducerError {
  const what = `The archive holds ${size} records, as many as its query allows, so its tail is probably missing.`;
  return new ProducerError('truncated-by-size', what, { details: { size } });
}
