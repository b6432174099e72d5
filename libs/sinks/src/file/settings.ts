import { GATE_KEYS } from '@genesys-kafka/delivery/settings';
import { text } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { sinkType } from '../sink-type.ts';

/** A sink of type `file`. It has no time-out: a write to a disk cannot be given up on. */
export const FILE_SINK = z.strictObject({
  type: sinkType('file'),
  path: text().meta({ description: 'File that records are appended to, one a line.' }),
  ...GATE_KEYS,
});
