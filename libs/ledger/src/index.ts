export { type ChangeJudge, type Turn } from './digests/change-judge.ts';
export { LaneDigests } from './digests/lane-digests.ts';
export { type RecordVersion, type Verdict } from './digests/packed-state.ts';
export { type TopicsTag, topicsTag } from './digests/topics-tag.ts';
export {
  type Availability,
  type Contract,
  decodeLedgerValue,
  type LedgerEntry,
  newWindowEntry,
  type Position,
  type SourceIdentity,
  type WindowError,
  windowKey,
} from './entries.ts';
export { type ExportStatus, summarise } from './export-status.ts';
export { type ClaimedLane } from './lane.ts';
export { type LaneOptions, withLane } from './lane-session.ts';
export { LanePublisher, type PublisherEvents, type PublisherLimits, type PublishStep } from './publisher.ts';
export { readLedger } from './read-ledger.ts';
export { addCounts, type RecordCounts, sumCounts } from './record-counts.ts';
export { type AcceptedChanges, checkLedgerTopics, type LedgerTopics, recordTopics } from './topic-guard.ts';
