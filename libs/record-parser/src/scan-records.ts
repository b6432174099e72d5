import type { ScannedRecord, ScanOptions } from './record.ts';
import { RecordScanner } from './record-scanner.ts';

/**
 * The records of a document, in batches of what each chunk completes (empty batches are left out). Pulls one chunk at
 * a time. Throws as RecordScanner does, after yielding the records before the fault; errors of the source pass
 * through, and a reader that stops early ends the source.
 */
export async function* scanRecords(
  chunks: AsyncIterable<Buffer>,
  options: ScanOptions,
): AsyncGenerator<ScannedRecord[], void, undefined> {
  const scanner = new RecordScanner(options);
  for await (const chunk of chunks) {
    const records = scanner.push(chunk);
    if (records.length > 0) yield records;
  }
  const records = scanner.end();
  if (records.length > 0) yield records;
}
