export {
  type Contract,
  decodeLedgerValue,
  type LedgerEntry,
  newWindowEntry,
  type Position,
  type SourceIdentity,
  type WindowError,
  windowKey,
  type WindowState,
} from './entries.ts';
export { LEDGER_ERRORS, LedgerError } from './errors.ts';
export { type ExportStatus, type OpenWindow, summarise } from './export-status.ts';
export { type LaneOptions, withLane } from './lane-session.ts';
export { type ClaimedLane, type LaneIdentity } from './lane.ts';
export { LanePublisher, type PublisherEvents, type PublisherLimits, type PublishStep } from './publisher.ts';
export { type LedgerView, readLedger } from './read-ledger.ts';
export { NO_RECORDS, type RecordCounts, sumCounts } from './record-counts.ts';
