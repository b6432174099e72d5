export { type ChangeJudge, type Turn } from './digests/change-judge.ts';
export { LaneDigests } from './digests/lane-digests.ts';
export { type RecordVersion, type Verdict } from './digests/packed-state.ts';
export { type TopicsTag, topicsTag } from './digests/topics-tag.ts';
export {
  decodeLedgerValue,
  type LedgerEntry,
  type LedgerLine,
  newWindowEntry,
  readFrom,
  type WindowLine,
  windowLineKey,
  withoutError,
} from './entries.ts';
export { type LedgerErrorCode } from './errors.ts';
export { type ExportStatus, summarise } from './export-status.ts';
export { type ClaimedLane } from './lane.ts';
export { type LaneOptions, withLane } from './lane-session.ts';
export { LanePublisher, type PublisherEvents, type PublisherLimits, type PublishStep } from './publisher.ts';
export { readLedger } from './read-ledger.ts';
export { addCounts, type RecordCounts, sumCounts } from './record-counts.ts';
export { plannedReading, readOn, type RunPlan, runPlanKey, runPrefix, type RunWindow } from './run-window.ts';
export { type AcceptedChanges, checkLedgerTopics, type LedgerTopics, recordTopics } from './topic-guard.ts';
export { assertSameTopics, topicIds, type TopicIds } from './topic-ids.ts';
export type { Availability, Contract, Position, SourceIdentity, WindowError } from './window-progress.ts';
