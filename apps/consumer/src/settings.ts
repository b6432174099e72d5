import { resolve } from 'node:path';
import { DEAD_LETTERS_CHECKS, DEAD_LETTERS_SECTION } from '@genesys-kafka/dead-letters/settings';
import { RETRY_SECTION } from '@genesys-kafka/delivery/settings';
import { PROXY_SECTION, TLS_CHECKS, TLS_SECTION } from '@genesys-kafka/http/settings';
import { KAFKA_CHECKS, KAFKA_KEYS } from '@genesys-kafka/kafka/settings';
import { ROUTE_CHECKS, ROUTES_SECTION } from '@genesys-kafka/routing/settings';
import {
  defineSettings,
  HEALTH_SECTION,
  inMs,
  listOf,
  LOG_SECTION,
  treeOf,
  type Given,
  type SettingsOf,
} from '@genesys-kafka/runtime/settings';
import { REGISTRY_CHECKS, REGISTRY_KEYS } from '@genesys-kafka/schema-registry/settings';
import { SINKS_SECTION } from '@genesys-kafka/sinks/settings';
import { CONNECTOR, TOPIC_KEYS } from '@genesys-kafka/topics/settings';
import { z } from 'zod';
import { CONSUMER_SECTION } from './group/settings.ts';

const UNROUTED = z.enum(['dead-letter', 'drop']).prefault('dead-letter').meta({
  description: 'What becomes of records that no route picks; counted either way.',
});

/** Sinks that hand records on as they are: their batches are made again from the topic. */
const KEEPING = new Set<unknown>(['s3', 'kafka']);

function reshapesNoneThatIsKept(given: Given) {
  return routesWithSinks(given).flatMap(({ path, route: { reshape }, sink }) => {
    if (reshape === undefined || !KEEPING.has(sink.type)) return [];
    const problem = 'is of no use to a sink that keeps records as they are';
    return [{ path: `${path}.reshape`, problem, fix: 'leave it out, or choose a sink of another type' }];
  });
}

/** Parts of a route that nothing would read, by the type of its sink. */
const UNREAD: readonly { readonly types: ReadonlySet<unknown>; readonly part: string; readonly problem: string }[] = [
  {
    types: KEEPING,
    part: 'retry',
    problem: 'is of no use to a sink that takes whole batches, each until it is written',
  },
  {
    types: new Set<unknown>(['file', 'postgres']),
    part: 'reshape.headers',
    problem: 'are of no use to a sink without headers',
  },
  {
    types: new Set<unknown>([...KEEPING, 'file', 'postgres']),
    part: 'conflict',
    problem: 'is of no use to a sink whose target answers with no status of HTTP',
  },
  { types: new Set<unknown>(['file']), part: 'reshape.key', problem: 'is of no use to a sink without keys' },
];

function allIsRead(given: Given) {
  return routesWithSinks(given).flatMap(({ path, route, sink }) =>
    UNREAD.flatMap(({ types, part, problem }) => {
      const value = part.split('.').reduce<unknown>((tree, name) => treeOf(tree)[name], route);
      if (value === undefined || !types.has(sink.type)) return [];
      return [{ path: `${path}.${part}`, problem, fix: 'leave it out, or choose a sink of another type' }];
    }),
  );
}

/** A request of several records has one set of headers: those of a record would be left out in silence. */
function shapesNoHeadersOfBatches(given: Given) {
  return routesWithSinks(given).flatMap(({ path, route: { reshape }, sink: { type, batch, body } }) => {
    if (type !== 'http' || treeOf(reshape).headers === undefined) return [];
    const { format = 'record' } = treeOf(body);
    if (Number(treeOf(batch).records ?? 1) === 1 && format === 'record') return [];
    const problem = 'are for requests of one record, and those of this sink hold several, or a list';
    const fix = 'leave them out, or set batch.records to 1 and leave body.format out';
    return [{ path: `${path}.reshape.headers`, problem, fix }];
  });
}

/** A file has one writer: the second one would wait for ever. */
function filesAreOfOneSink({ tree }: Given) {
  const sinks = treeOf(tree.sinks);
  const used = new Set(listOf(tree.routes).map((route) => treeOf(route).sink));
  const writers = new Map<string, string>();
  return Object.entries(sinks).flatMap(([name, value]) => {
    const { type, path } = treeOf(value);
    if (type !== 'file' || typeof path !== 'string' || !used.has(name)) return [];
    const writer = writers.get(resolve(path));
    writers.set(resolve(path), writer ?? name);
    const fix = `choose another one, or let its routes deliver to ${writer}`;
    return writer === undefined
      ? []
      : [{ path: `sinks.${name}.path`, problem: `is the file of ${writer} already`, fix }];
  });
}

/** Each route, where it stands, and its sink; one that is not there has no type. */
function routesWithSinks({ tree }: Given) {
  const sinks = treeOf(tree.sinks);
  return listOf(tree.routes)
    .map(treeOf)
    .map((route, index) => {
      const { sink } = route;
      return { path: `routes.${index}`, route, sink: typeof sink === 'string' ? treeOf(sinks[sink]) : {} };
    });
}

/**
 * All that the consumer reads of the configuration. Keys are the file's; parsed, a key that holds a time span or a
 * share ends in its unit (`retry.tiersMs`, `breaker.errorsRatio`).
 */
export const SETTINGS = defineSettings({
  schema: z.strictObject({
    connector: CONNECTOR,
    kafka: z
      .strictObject({ ...KAFKA_KEYS, ...TOPIC_KEYS })
      .transform(inMs('requestTimeout'))
      .prefault({}),
    schema: z.strictObject(REGISTRY_KEYS).prefault({}),
    routes: ROUTES_SECTION,
    sinks: SINKS_SECTION,
    retry: RETRY_SECTION,
    unrouted: UNROUTED,
    deadLetters: DEAD_LETTERS_SECTION,
    consumer: CONSUMER_SECTION,
    log: LOG_SECTION,
    http: HEALTH_SECTION,
    tls: TLS_SECTION,
    proxy: PROXY_SECTION,
  }),
  checks: [
    ...KAFKA_CHECKS,
    ...REGISTRY_CHECKS,
    ...ROUTE_CHECKS,
    reshapesNoneThatIsKept,
    shapesNoHeadersOfBatches,
    allIsRead,
    filesAreOfOneSink,
    ...DEAD_LETTERS_CHECKS,
    ...TLS_CHECKS,
  ],
  // What the producer reads of a file that serves both.
  readElsewhere: [
    ...['genesys', 'windows', 'kafka.transaction', 'schema.compatibility', 'schema.register'],
    ...['archive', 'clock', 'record', 'invalid', 'spool', 'staging', 's3'],
  ],
});

export type Settings = SettingsOf<typeof SETTINGS>;
export type SinkSettings = Settings['sinks'][string];
