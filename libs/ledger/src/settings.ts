import { duration, inMs, size } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/** Brokers abort a transaction after 30 s: what is left is for its last sends and its commit. */
const OLDEST_MS = 20_000;

/** `kafka.transaction`: when the publisher closes one. */
export const TRANSACTION_SECTION = z
  .strictObject({
    maxAge: duration(100, OLDEST_MS)
      .prefault('5s')
      .meta({ description: 'A transaction is closed when it has been open this long.' }),
    maxBytes: size().prefault('32MiB').meta({ description: 'A transaction is closed when it holds this much.' }),
  })
  .transform(inMs('maxAge'))
  .prefault({});
