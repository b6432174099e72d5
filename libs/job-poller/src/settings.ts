import { count, duration, inMs, instant } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

const REREAD = z
  .strictObject({
    age: duration(1000).meta({ description: 'Windows that ended within this time are read again …' }),
    every: duration(1000).meta({ description: '… once their last reading is this old.' }),
  })
  .transform(inMs('age', 'every'));

/** `windows`: how an interval is cut, and how `run` follows what comes later. */
export const WINDOWS_SECTION = z
  .strictObject({
    size: duration(60_000)
      .prefault('1d')
      .meta({ description: 'Length of a window, the unit of work and of progress; for `run` it divides a day.' }),
    from: instant().optional().meta({ description: 'The moment from which `run` follows the organisation.' }),
    checkEvery: duration(1000)
      .prefault('1m')
      .meta({ description: 'How often `run` asks until when data is available.' }),
    retryAfter: duration(1000)
      .prefault('10m')
      .meta({ description: 'Wait before `run` tries a window again that failed; doubled each time, up to 6h.' }),
    rereads: z
      .array(REREAD)
      .max(10)
      .prefault([
        { age: '3d', every: '1d' },
        { age: '30d', every: '7d' },
      ])
      .meta({
        kind: 'list',
        description:
          'Which windows `run` reads again, for data that comes late or changes, by the availability date of the data.',
      }),
    maxRecords: count(1, 100_000_000)
      .prefault(400_000)
      .meta({ description: 'A window of `run` with more records is split in two.' }),
    stallAfter: duration(1000)
      .prefault('1h')
      .meta({ description: '`run` is not ready when there is work and nothing has moved for this long.' }),
  })
  .transform(inMs('size', 'checkEvery', 'retryAfter', 'stallAfter'))
  .transform(({ from, ...section }) => ({ ...section, ...(from === undefined ? {} : { fromMs: from }) }))
  .prefault({});
