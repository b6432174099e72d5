import { count, duration, inMs, size } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

const LONGEST_GRACE_MS = 600_000;

/** `consumer`: how `run` reads and commits. Each key is also a flag of that command, which wins. */
export const CONSUMER_SECTION = z
  .strictObject({
    inFlightRecords: count(1, 100_000)
      .prefault(500)
      .meta({ description: 'Records of one partition in hand, for each route; more pause it.' }),
    inFlightBytes: size()
      .prefault('1MiB')
      .meta({ description: 'Bytes of one partition in hand, for each route; more pause it.' }),
    commitEvery: duration(10, 60_000).prefault('1s').meta({ description: 'Offsets are committed this often…' }),
    commitRecords: count(1, 100_000)
      .prefault(1000)
      .meta({ description: '…or when a partition has moved this many offsets.' }),
    sessionTimeout: duration(1000, 1_800_000).prefault('30s').meta({
      description: 'The group takes a member that is silent this long for dead (the brokers allow 6s to 30m).',
    }),
    revokeGrace: duration(0, LONGEST_GRACE_MS).prefault('10s').meta({
      description: 'Requests in flight may end in this time when a partition is taken away.',
    }),
    stopGrace: duration(0, LONGEST_GRACE_MS).prefault('25s').meta({
      description: 'Requests in flight may end in this time on SIGTERM; then what is finished is committed.',
    }),
  })
  .transform(inMs('commitEvery', 'sessionTimeout', 'revokeGrace', 'stopGrace'))
  .prefault({});
