import { parseBytes, parseDurationMs } from '@genesys-kafka/runtime';
import { InvalidArgumentError, Option } from 'commander';
import type { GroupSettings } from './route-group.ts';

/** What `consumer run` takes besides the configuration, as the command line spells it. */
export interface RunFlags {
  readonly inFlightRecords: number;
  readonly inFlightBytes: number;
  readonly commitEvery: number;
  readonly commitRecords: number;
  readonly sessionTimeout: number;
  readonly revokeGrace: number;
  readonly stopGrace: number;
  readonly drain?: boolean;
  readonly acceptGap?: boolean;
}

const MIB = 1024 * 1024;

/** Name, default, unit and description of each, in one place: parsing and `--help` come from here. */
export function runOptions(): Option[] {
  return [
    option('--in-flight-records <n>', 'records of one partition in hand; more pause it', count, 500),
    option('--in-flight-bytes <size>', 'bytes of one partition in hand; more pause it', bytes, 4 * MIB, '4MiB'),
    option('--commit-every <time>', 'offsets are committed this often', duration(10, 60_000), 1000, '1s'),
    option('--commit-records <n>', 'or when a partition has moved this many offsets', count, 1000),
    option(
      '--session-timeout <time>',
      'the group takes a member that is silent this long for dead (the brokers allow 6s to 30m)',
      duration(1000, 1_800_000),
      30_000,
      '30s',
    ),
    option(
      '--revoke-grace <time>',
      'requests in flight may end in this time when a partition is taken away',
      duration(0, 600_000),
      10_000,
      '10s',
    ),
    option(
      '--stop-grace <time>',
      'requests in flight may end in this time on SIGTERM; then what is finished is committed',
      duration(0, 600_000),
      25_000,
      '25s',
    ),
    new Option('--drain', 'end when all topics of all routes, retries included, are worked off'),
    new Option('--accept-gap', 'go on where records were deleted before they were read, which otherwise stops the run'),
  ];
}

export function groupSettings(flags: RunFlags): GroupSettings {
  return {
    limits: { maxRecords: flags.inFlightRecords, maxBytes: flags.inFlightBytes },
    commitEveryMs: flags.commitEvery,
    commitRecords: flags.commitRecords,
    revokeGraceMs: flags.revokeGrace,
    stopGraceMs: flags.stopGrace,
  };
}

function option(
  flags: string,
  text: string,
  parse: (value: string) => number,
  initial: number,
  shown?: string,
): Option {
  return new Option(flags, text).argParser(parse).default(initial, shown ?? String(initial));
}

/** A whole number from 1 to 100,000. */
export function count(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 100_000) throw new InvalidArgumentError('Write a whole number from 1 to 100000.');
  return value;
}

function bytes(text: string): number {
  const value = parseBytes(text);
  if (value === undefined || value < 1) throw new InvalidArgumentError('Write a size such as 512KiB or 4MiB.');
  return value;
}

function duration(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const ms = parseDurationMs(text);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    throw new InvalidArgumentError(`Write a time from ${minMs}ms to ${maxMs / 1000}s, such as 500ms, 5s or 1m.`);
  };
}

/** `50/s` as a number per second; a rate in whole records. */
export function rate(text: string): number {
  const match = /^(\d{1,6})\/s$/.exec(text);
  const value = Number(match?.[1] ?? 0);
  if (value < 1) throw new InvalidArgumentError('Write a rate in records per second, such as 50/s.');
  return value;
}
