export { EndCheck } from './end-check.ts';
export { ParserError } from './errors.ts';
export type { ScannedRecord, ScanOptions } from './record.ts';
export { RecordScanner } from './record-scanner.ts';
export { scanRecords } from './scan-records.ts';
