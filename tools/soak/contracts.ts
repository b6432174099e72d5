import type { FaultRule } from '../src/living/simulator-process.ts';
import type { Matching } from '../src/living/verdict.ts';

export type ContractName = 'details-jobs' | 'bulk-archive';

/** What differs between the contracts, for whoever follows an organisation whose time is sped up. */
export interface SoakContract {
  readonly name: ContractName;
  /** Which conversations belong to an interval. */
  readonly matching: Matching;
  /** The settings of `windows` besides `from` and `retryAfter`. */
  readonly windows: (days: number) => string;
  /**
   * Windows tell until when the data was available that they were read with, by the organisation's time; where the
   * contract cannot tell, by this machine's clock.
   */
  readonly tellsAvailability: boolean;
  /** What may go wrong with its requests. */
  readonly faults: readonly FaultRule[];
}

const BOTH: readonly FaultRule[] = [
  { on: 'status', times: 1, do: { kind: 'job', state: 'FAILED', message: 'The query failed.' } },
  { on: 'submit', times: 3, do: { kind: 'status', status: 429, retryAfter: 2 } },
  { on: 'submit', times: 1, do: { kind: 'reset', afterBytes: 0 } },
  { on: 'status', times: 2, do: { kind: 'revoke-token' } },
  { on: 'status', times: 5, do: { kind: 'status', status: 500 } },
];

const DETAILS_JOBS: SoakContract = {
  name: 'details-jobs',
  matching: 'overlap',
  windows: (days) => `size: 6h, checkEvery: 1s, rereads: [{ age: 3d, every: 1d }, { age: ${days + 30}d, every: 7d }]`,
  tellsAvailability: true,
  faults: [
    ...BOTH,
    { on: 'results', times: 6, do: { kind: 'status', status: 503 } },
    { on: 'results', times: 2, do: { kind: 'reset', afterBytes: 5000 } },
    { on: 'results', times: 1, do: { kind: 'status', status: 404 } },
    { on: 'status', times: 1, do: { kind: 'job', state: 'CANCELLED' } },
    { on: 'results', times: 1, do: { kind: 'job', state: 'EXPIRED' } },
    { on: 'results', times: 2, do: { kind: 'revoke-token' } },
    { on: 'availability', times: 5, do: { kind: 'status', status: 500 } },
  ],
};

/** Its windows are over once the clock of this machine says so, and old; so each is read again once a minute. */
const BULK_ARCHIVE: SoakContract = {
  name: 'bulk-archive',
  matching: 'start',
  windows: () => 'size: 1d, checkEvery: 1s, rereads: [{ age: 10000d, every: 1m }]',
  tellsAvailability: false,
  faults: [
    ...BOTH,
    { on: 'file', times: 3, do: { kind: 'status', status: 503 } },
    { on: 'file', times: 2, do: { kind: 'reset', afterBytes: 5000 } },
    { on: 'file', times: 1, do: { kind: 'corrupt', offset: 2000 } },
    { on: 'file', times: 1, do: { kind: 'truncate', bytes: 3000 } },
    { on: 'file', times: 2, do: { kind: 'expired-link' } },
    { on: 'file', times: 1, do: { kind: 'changed-object', what: 'etag' } },
    { on: 'file', times: 1, do: { kind: 'ignore-range' } },
  ],
};

export const CONTRACTS: Readonly<Record<ContractName, SoakContract>> = {
  'details-jobs': DETAILS_JOBS,
  'bulk-archive': BULK_ARCHIVE,
};
