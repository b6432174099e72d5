import { z } from 'zod';
import { count, text } from './settings/fields.ts';

/** `log`: read by the logger. */
export const LOG_SECTION = z
  .strictObject({
    level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).prefault('info').meta({
      env: 'LOG_LEVEL',
      description: 'The least level that is logged.',
    }),
  })
  .prefault({});

/** `http`: read by the server of health and metrics. */
export const HEALTH_SECTION = z
  .strictObject({
    port: count(0, 65_535).prefault(0).meta({ env: 'HTTP_PORT', description: 'Health and metrics; 0 = off.' }),
    host: text(255).prefault('127.0.0.1').meta({
      env: 'HTTP_HOST',
      description: 'Address that health and metrics listen on; 0.0.0.0 inside a container. Nothing is authenticated.',
    }),
  })
  .prefault({});
