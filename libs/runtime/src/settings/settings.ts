import { z } from 'zod';
import { consumerSection } from './consumer.ts';
import { deadLettersSection, retrySection, unroutedSetting } from './delivery.ts';
import { identifier } from './fields.ts';
import { genesysSection } from './genesys.ts';
import { kafkaSection } from './kafka.ts';
import { archiveSection, invalidSection, recordSection } from './limits.ts';
import { privacySection } from './privacy.ts';
import { httpSection, logSection, proxySection, spoolSection, tlsSection } from './process.ts';
import { routesSection } from './routes.ts';
import { schemaSection } from './schema.ts';
import { sinksSection } from './sinks.ts';
import { windowsSection } from './windows.ts';

/**
 * The whole configuration: keys, types, ranges, defaults, environment variables and descriptions. Validation, `--help`,
 * the reference table and the editors' schema all come from here. Keys are the file's; parsed, a key that holds a time
 * span, a moment or a share ends in its unit (`windows.sizeMs`, `windows.fromMs`, `invalid.maxRatio`).
 */
export const settingsSchema = z.strictObject({
  connector: identifier(60).prefault('default').meta({
    env: 'CONNECTOR_NAME',
    description: "Names the ledger's entries, transactional ids and consumer groups.",
  }),
  genesys: genesysSection.prefault({}),
  windows: windowsSection.prefault({}),
  kafka: kafkaSection.prefault({}),
  schema: schemaSection.prefault({}),
  privacy: privacySection.prefault([]),
  routes: routesSection.prefault([]),
  sinks: sinksSection.prefault({}),
  retry: retrySection.prefault({}),
  unrouted: unroutedSetting.prefault('dead-letter'),
  deadLetters: deadLettersSection.prefault({}),
  consumer: consumerSection.prefault({}),
  archive: archiveSection.prefault({}),
  record: recordSection.prefault({}),
  invalid: invalidSection.prefault({}),
  spool: spoolSection.prefault({}),
  log: logSection.prefault({}),
  http: httpSection.prefault({}),
  tls: tlsSection.prefault({}),
  proxy: proxySection.prefault({}),
});

type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;
export type SinkSettings = Settings['sinks'][string];
export type RouteSettings = Settings['routes'][number];
