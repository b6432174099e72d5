import { z } from 'zod';
import { duration, instant } from './fields.ts';

const reread = z
  .strictObject({
    age: duration(3_600_000).meta({ description: 'How far back windows are read again.' }),
    every: duration(60_000).meta({ description: 'How often that is done.' }),
  })
  .transform(({ age, every }) => ({ ageMs: age, everyMs: every }));

export const windowsSection = z
  .strictObject({
    size: duration(60_000)
      .prefault('1d')
      .meta({ description: 'Length of a window, the unit of work and of progress.' }),
    from: instant().optional().meta({ description: 'Where `run` starts on its first day.' }),
    rereads: z
      .array(reread)
      .max(20)
      .prefault([
        { age: '3d', every: '1d' },
        { age: '30d', every: '7d' },
      ])
      .meta({ kind: 'list', description: 'Which older windows `run` reads again, and how often: late corrections.' }),
  })
  .transform(({ size, from, rereads }) => ({ sizeMs: size, ...(from !== undefined && { fromMs: from }), rereads }));
