import { z } from 'zod';
import { count, percentage, size } from './fields.ts';

export const archiveSection = z.strictObject({
  maxRatio: z.number().min(1).max(100_000).prefault(200).meta({
    kind: 'number',
    description: 'Most bytes that one byte of an archive may inflate to; checked before anything is published.',
  }),
  maxBytes: size().prefault('64GiB').meta({ description: 'Most bytes that an archive may inflate to.' }),
});

export const recordSection = z.strictObject({
  maxBytes: size().prefault('16MiB').meta({ description: 'A longer record is a dead letter.' }),
  maxDepth: count(8, 10_000)
    .prefault(256)
    .meta({ description: 'A record nested deeper ends its source with broken-json.' }),
});

export const invalidSection = z
  .strictObject({
    max: percentage()
      .prefault('5%')
      .meta({ description: 'A window with a larger share of invalid records is rejected…' }),
    minimum: count(1, 1_000_000_000)
      .prefault(100)
      .meta({ description: '…once this many records of it have been seen.' }),
  })
  .transform(({ max, minimum }) => ({ maxRatio: max, minimumRecords: minimum }));
