import { identifier } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { FILE_SINK } from './file/settings.ts';
import { HTTP_SINK } from './http/settings.ts';
import { KAFKA_SINK } from './kafka/settings.ts';
import { POSTGRES_SINK } from './postgres/settings.ts';
import { S3_SINK } from './s3/settings.ts';

/** `sinks`: the places that records are delivered to, by name. */
export const SINKS_SECTION = z
  .record(identifier(100), z.discriminatedUnion('type', [HTTP_SINK, POSTGRES_SINK, S3_SINK, KAFKA_SINK, FILE_SINK]))
  .prefault({})
  .meta({ kind: 'object', variables: true, description: 'The places records are delivered to, by name.' });
