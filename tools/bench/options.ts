import { parseArgs } from 'node:util';
import { PEER_NAMES, type PeerName } from './peers/peers.ts';
import { PRODUCT_NAMES, type ProductName } from './product.ts';

export const HELP = `npm run bench -- [options]

Publishes an archive of the stand-in's conversations through the product and through other pipelines, in turn, onto one
broker; reads every run back; prints medians.

  --records N        conversations (default 100000)
  --rounds N         rounds, each with one run of every case (default 3)
  --only NAME,…      these cases alone: ${PRODUCT_NAMES.join(', ')},
                     ${PEER_NAMES.join(', ')}
  --large            publishes ten times the records as well, once, for the memory
  --far              publishes to a broker behind a proxy as well that delays each direction by 5 ms
  --profile          publishes once more under V8's profiler, and says where the time of each thread goes
  --compare REV      runs another commit's producer in the same rounds, and says by how much each figure moved
  --write            writes table, plot and figures to docs/
  --quick            2000 records, one round: whether everything runs and every topic holds what it should
  --allow-missing    goes on without the peers whose tools this machine does not have, and says so
`;

export interface BenchOptions {
  readonly records: number;
  readonly rounds: number;
  readonly product: readonly ProductName[];
  readonly peers: readonly PeerName[];
  readonly large: boolean;
  readonly far: boolean;
  readonly profile: boolean;
  readonly compare: string | undefined;
  readonly write: boolean;
  /** Checks that everything runs; measures nothing. */
  readonly quick: boolean;
  readonly allowMissing: boolean;
}

/** What is wrong with the command line. */
export class UsageError extends Error {}

/** Undefined where help is asked for. Raises UsageError. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const values = parsed(args);
  if (values.help) return undefined;
  const names = values.only?.split(',');
  const known: readonly string[] = [...PRODUCT_NAMES, ...PEER_NAMES];
  const strange = names?.filter((name) => !known.includes(name)) ?? [];
  if (strange.length > 0) throw new UsageError(`--only names ${strange.join(', ')}; there are ${known.join(', ')}.`);
  const isWanted = (name: string) => names?.includes(name) ?? true;
  const { quick, large, far, profile, compare, write } = values;
  if (quick && (large || far || profile || compare !== undefined))
    throw new UsageError('--quick measures nothing; leave out --large, --far, --profile and --compare.');
  if (quick && write) throw new UsageError('--quick measures nothing that could be written down; leave out --write.');
  if (write && names) throw new UsageError('--write is for the whole table; leave out --only.');
  return {
    records: wholeNumber('--records', values.records ?? (quick ? '2000' : '100000')),
    rounds: wholeNumber('--rounds', values.rounds ?? (quick ? '1' : '3')),
    product: PRODUCT_NAMES.filter(isWanted),
    peers: PEER_NAMES.filter(isWanted),
    large,
    far,
    profile,
    compare,
    write,
    quick,
    allowMissing: values['allow-missing'],
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        records: { type: 'string' },
        rounds: { type: 'string' },
        only: { type: 'string' },
        large: { type: 'boolean', default: false },
        far: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        compare: { type: 'string' },
        write: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        'allow-missing': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new UsageError(`${name} is ${text}; write a whole number of at least 1.`);
}
