import { GATE_KEYS } from '@genesys-kafka/delivery/settings';
import { duration, httpUrl, inMs } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { sinkType } from '../sink-type.ts';

const HEADER_NAME = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/, { error: 'is not a header name; use letters, digits and dashes' });
const HEADER_VALUE = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, { error: 'has characters that a header cannot carry; leave line breaks out' })
  .meta({ secret: true });

/** A sink of type `http`. */
export const HTTP_SINK = z
  .strictObject({
    type: sinkType('http'),
    url: httpUrl('any').meta({ description: 'One POST a record goes here.' }),
    headers: z.record(HEADER_NAME, HEADER_VALUE).prefault({}).meta({
      kind: 'object',
      secret: true,
      description:
        'Sent along, such as authorization. `${NAME}` takes an environment variable, or the file in `NAME_FILE`.',
    }),
    ...GATE_KEYS,
    timeout: duration(100).prefault('30s').meta({ description: 'Longest wait for one delivery.' }),
  })
  .transform(inMs('timeout'));
