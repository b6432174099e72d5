import { parseSoakOptions } from '@genesys-kafka/testing';

export const HELP = `npm run soak:consumer -- [options]

Publishes for some minutes while several \`consumer run\` deliver to every kind of sink, and everything goes wrong: they
are killed, paused, stopped and added, targets are down, slow, busy, silent or lose their answers, brokers and Postgres
are killed, routes are paused. Then all is mended, dead letters are replayed, and what lies at each target is held
against the topic: nothing missing, nothing twice where once is promised, no older version after a newer one.
It needs Go, or an S3 server that GENESYS_KAFKA_S3_ENDPOINT names.

  --minutes N    how long records are published (default 5)
  --rate N       records a second (default 60)
  --keys N       conversations, each with many versions (default 400)
  --processes N  processes of \`run\` (default 3)
  --events N     what goes wrong on the way (default 40)
  --seed N       what happens when follows from it (default: drawn, and printed)
  --dir DIR      where the logs go (default: a new directory, removed when all is well)
`;

export interface SoakOptions {
  readonly minutes: number;
  readonly rate: number;
  readonly keys: number;
  readonly processes: number;
  readonly events: number;
  readonly seed: number;
  readonly dir: string | undefined;
}

const DEFAULTS = { minutes: '5', rate: '60', keys: '400', processes: '3', events: '40' };

/** Undefined where help is asked for. Raises UsageError. */
export function parseOptions(args: readonly string[]): SoakOptions | undefined {
  const given = parseSoakOptions(args, DEFAULTS);
  if (!given) return undefined;
  const { whole, seed, dir } = given;
  return {
    minutes: whole('minutes', 1, 10_000),
    rate: whole('rate', 1, 10_000),
    keys: whole('keys', 1, 1_000_000),
    processes: whole('processes', 1, 12),
    events: whole('events', 0, 10_000),
    seed,
    dir,
  };
}
