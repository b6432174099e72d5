export {
  BrokenStructureError,
  EnvelopeTooLargeError,
  MissingConversationsError,
  TrailingTextError,
  UnsupportedEncodingError,
  type Place,
} from './errors.ts';
export { RecordScanner } from './record-scanner.ts';
export type { DocumentShape, ScannedRecord, ScanOptions } from './record.ts';
export { scanRecords } from './scan-records.ts';
export { TrailingTextCheck } from './trailing-text-check.ts';
