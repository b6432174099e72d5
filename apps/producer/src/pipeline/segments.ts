import type { ScannedRecord } from '@genesys-kafka/record-parser';
import { SegmentWriter } from '../stage/segment.ts';
import type { Segment } from '../stage/thread-messages.ts';

/**
 * The records in segments, each as full as the next record allows. One that begins before `from`, where what is
 * published ends, ends there too.
 */
export async function* inSegments(
  batches: AsyncIterable<readonly ScannedRecord[]> | Iterable<readonly ScannedRecord[]>,
  from: number,
): AsyncGenerator<Segment> {
  let writer: SegmentWriter | undefined;
  let fault: { readonly error: unknown } | undefined;
  try {
    for await (const records of batches) {
      for (const record of records) {
        if (writer && (record.ordinal === from || !writer.fits(record))) {
          yield writer.end();
          writer = undefined;
        }
        writer ??= new SegmentWriter(record, record.ordinal >= from);
        writer.add(record);
      }
    }
  } catch (error) {
    fault = { error };
  }
  // The records before a fault stand.
  if (writer) yield writer.end();
  if (fault) throw fault.error;
}
