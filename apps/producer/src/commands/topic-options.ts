import type { AcceptedChanges } from '@genesys-kafka/ledger';
import { Option } from 'commander';

/** What is said of one start alone: changes of topics that otherwise stop it. */
export interface TopicOptions {
  readonly newLedger?: boolean;
  readonly acceptPartitions?: boolean;
}

export function newLedgerOption(): Option {
  return new Option('--new-ledger', 'begin a new ledger where records are published and theirs is gone');
}

export function acceptPartitionsOption(): Option {
  return new Option('--accept-partitions', 'go on with another number of partitions of the data topic: keys move');
}

export function acceptedChanges({ newLedger, acceptPartitions }: TopicOptions): AcceptedChanges {
  return { newLedger, partitions: acceptPartitions };
}
