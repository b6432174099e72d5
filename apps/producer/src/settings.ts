import { ARCHIVE_SECTION, SPOOL_SECTION } from '@genesys-kafka/archive/settings';
import { DEAD_LETTERS_CHECKS, DEAD_LETTERS_SECTION } from '@genesys-kafka/dead-letters/settings';
import { GENESYS_CHECKS, GENESYS_KEYS } from '@genesys-kafka/genesys-client/settings';
import { PROXY_SECTION, TLS_CHECKS, TLS_SECTION } from '@genesys-kafka/http/settings';
import { WINDOWS_SECTION } from '@genesys-kafka/job-poller/settings';
import { KAFKA_CHECKS, KAFKA_KEYS } from '@genesys-kafka/kafka/settings';
import { TRANSACTION_SECTION } from '@genesys-kafka/ledger/settings';
import { S3_CHECKS, S3_SECTION } from '@genesys-kafka/object-store/settings';
import { RECORD_SECTION } from '@genesys-kafka/record-parser/settings';
import {
  count,
  defineSettings,
  HEALTH_SECTION,
  inMs,
  LOG_SECTION,
  percentage,
  type SettingsOf,
} from '@genesys-kafka/runtime/settings';
import { REGISTRATION_KEYS, REGISTRY_CHECKS, REGISTRY_KEYS } from '@genesys-kafka/schema-registry/settings';
import { CONNECTOR, TOPIC_KEYS } from '@genesys-kafka/topics/settings';
import { z } from 'zod';
import { STAGING_SECTION } from './stage/settings.ts';
import { CLOCK_SECTION, JOB_KEYS } from './genesys/settings.ts';

const INVALID_SECTION = z
  .strictObject({
    max: percentage()
      .prefault('5%')
      .meta({ description: 'A window with a larger share of invalid records is rejected…' }),
    minimum: count(1, 1_000_000_000)
      .prefault(100)
      .meta({ description: '…once this many records of it have been seen.' }),
  })
  .transform(({ max, minimum }) => ({ maxRatio: max, minimumRecords: minimum }))
  .prefault({});

/**
 * All that the producer reads of the configuration. Keys are the file's; parsed, a key that holds a time span or a
 * share ends in its unit (`windows.sizeMs`, `invalid.maxRatio`).
 */
export const SETTINGS = defineSettings({
  schema: z.strictObject({
    connector: CONNECTOR,
    genesys: z.strictObject({ ...GENESYS_KEYS, ...JOB_KEYS }).prefault({}),
    windows: WINDOWS_SECTION,
    clock: CLOCK_SECTION,
    kafka: z
      .strictObject({ ...KAFKA_KEYS, ...TOPIC_KEYS, transaction: TRANSACTION_SECTION })
      .transform(inMs('requestTimeout'))
      .prefault({}),
    schema: z.strictObject({ ...REGISTRY_KEYS, ...REGISTRATION_KEYS }).prefault({}),
    archive: ARCHIVE_SECTION,
    deadLetters: DEAD_LETTERS_SECTION,
    s3: S3_SECTION,
    record: RECORD_SECTION,
    invalid: INVALID_SECTION,
    spool: SPOOL_SECTION,
    staging: STAGING_SECTION,
    log: LOG_SECTION,
    http: HEALTH_SECTION,
    tls: TLS_SECTION,
    proxy: PROXY_SECTION,
  }),
  checks: [...GENESYS_CHECKS, ...KAFKA_CHECKS, ...REGISTRY_CHECKS, ...S3_CHECKS, ...DEAD_LETTERS_CHECKS, ...TLS_CHECKS],
  // What the consumer reads of a file that serves both.
  readElsewhere: ['routes', 'sinks', 'retry', 'unrouted', 'consumer'],
});

export type Settings = SettingsOf<typeof SETTINGS>;
