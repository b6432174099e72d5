import { createHmac } from 'node:crypto';

/** A place in a job's results. `page` counts requests, so that every page's cursor is new. */
export interface Place {
  readonly offset: number;
  readonly page: number;
  /** The page before this one was empty: the next is not. */
  readonly wasEmpty: boolean;
}

/** An opaque cursor that is good for one job only. */
export function writeCursor(jobId: string, place: Place): string {
  const text = `${place.offset}.${place.page}.${place.wasEmpty ? 1 : 0}`;
  return Buffer.from(`${text}.${seal(jobId, text)}`).toString('base64');
}

/** Undefined for a cursor that this job did not give out. */
export function readCursor(jobId: string, cursor: string): Place | undefined {
  const text = Buffer.from(cursor, 'base64').toString('latin1');
  const match = /^((\d+)\.(\d+)\.([01]))\.([0-9a-f]{16})$/.exec(text);
  const sealed = match?.[1];
  if (sealed === undefined || match?.[5] !== seal(jobId, sealed)) return undefined;
  return { offset: Number(match[2]), page: Number(match[3]), wasEmpty: match[4] === '1' };
}

function seal(jobId: string, text: string): string {
  return createHmac('sha256', jobId).update(text).digest('hex').slice(0, 16);
}
