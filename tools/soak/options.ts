import { parseSoakOptions, UsageError } from '@genesys-kafka/testing';
import { CONTRACTS } from './contracts.ts';
import type { ContractName } from './contracts.ts';

export const HELP = `npm run soak -- [options]

Has several \`producer run\` follow an organisation of the simulator through simulated days, while conversations change
behind their backs and processes are killed, paused, stopped and added; then proves with a plain read_committed reader
that the topic equals the organisation: nothing missing, nothing stale, nothing unchanged twice.

  --contract NAME  details-jobs or bulk-archive (default details-jobs)
  --days N         simulated days (default 30)
  --speed N        simulated seconds in a real one (default 2000: a day in 43 s)
  --per-day N      conversations that start in a day (default 300)
  --processes N    processes of \`run\` (default 3)
  --events N       kills, pauses, stops, joins and faults of the API on the way (default 50)
  --seed N         what happens when, and the organisation, follow from it (default: drawn, and printed)
  --dir DIR        where the logs go (default: a new directory, removed when all is well)
`;

export interface SoakOptions {
  readonly contract: ContractName;
  readonly days: number;
  readonly speed: number;
  readonly perDay: number;
  readonly processes: number;
  readonly events: number;
  readonly seed: number;
  readonly dir: string | undefined;
}

const DEFAULTS = {
  contract: 'details-jobs',
  days: '30',
  speed: '2000',
  'per-day': '300',
  processes: '3',
  events: '50',
};

/** Undefined where help is asked for. Raises UsageError. */
export function parseOptions(args: readonly string[]): SoakOptions | undefined {
  const given = parseSoakOptions(args, DEFAULTS);
  if (!given) return undefined;
  const { text, whole, seed, dir } = given;
  const contract = text('contract') as ContractName;
  if (!Object.hasOwn(CONTRACTS, contract)) {
    throw new UsageError(`--contract is ${contract}; write ${Object.keys(CONTRACTS).join(' or ')}.`);
  }
  return {
    contract,
    days: whole('days', 1, 365),
    speed: whole('speed', 1, 10_000),
    perDay: whole('per-day', 1, 100_000),
    processes: whole('processes', 1, 12),
    events: whole('events', 0, 10_000),
    seed,
    dir,
  };
}
