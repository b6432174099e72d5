import { GATE_KEYS } from '@genesys-kafka/delivery/settings';
import { duration, size, text } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { sinkType } from '../sink-type.ts';

const ROTATE = z
  .strictObject({
    bytes: size().optional().meta({ description: 'A file is put aside before it would grow past this…' }),
    age: duration(1000).optional().meta({ description: '…or when it was begun so long ago.' }),
  })
  .transform(({ bytes, age }) => ({ bytes, ageMs: age }))
  .prefault({});

/** A sink of type `file`. It has no time-out: a write to a disk cannot be given up on. */
export const FILE_SINK = z.strictObject({
  type: sinkType('file'),
  path: text().meta({ description: 'File that records are appended to, one a line.' }),
  rotate: ROTATE,
  sync: z.enum(['batch', 'never']).prefault('batch').meta({
    description: 'batch: a record is delivered once it is on the disk. never: once the system has it.',
  }),
  ...GATE_KEYS,
});
