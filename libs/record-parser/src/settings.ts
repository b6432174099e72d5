import { count, size } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/** `record`: what a single record may be. */
export const RECORD_SECTION = z
  .strictObject({
    maxBytes: size().prefault('16MiB').meta({ description: 'A longer record is a dead letter.' }),
    maxDepth: count(8, 10_000)
      .prefault(256)
      .meta({ description: 'A record nested deeper ends its source with broken-json.' }),
  })
  .prefault({});
