export {
  type Claim,
  CLAIM_PREFIX,
  type Contract,
  decodeLedgerValue,
  type LedgerEntry,
  LedgerUnreadableError,
  type Position,
  type RecordCounts,
  type SourceIdentity,
  type WindowError,
  windowKey,
  type WindowState,
} from './entries.ts';
export { type LaneOptions, withLane } from './lane-session.ts';
export {
  type ClaimedLane,
  claimLane,
  type LaneIdentity,
  lastClaim,
  LedgerBlockedError,
  TakenOverError,
} from './lane.ts';
export {
  LaneInterruptedError,
  LanePublisher,
  type PublisherEvents,
  type PublisherLimits,
  type PublishStep,
} from './publisher.ts';
