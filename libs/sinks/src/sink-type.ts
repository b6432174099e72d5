import { z } from 'zod';

/** The key by which the kinds of sinks are told apart. */
export const sinkType = <const T extends string>(type: T) =>
  z.literal(type).meta({ description: 'What kind of place it is.' });
