import { duration, inMs } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/** `windows`: how an interval is cut. */
export const WINDOWS_SECTION = z
  .strictObject({
    size: duration(60_000)
      .prefault('1d')
      .meta({ description: 'Length of a window, the unit of work and of progress.' }),
  })
  .transform(inMs('size'))
  .prefault({});
