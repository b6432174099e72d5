import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { picks, reshaped, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';
import type { ConfigError } from '@genesys-kafka/runtime';
import { readConfigurationFile } from '@genesys-kafka/runtime/cli';
import { parseRecord } from '@genesys-kafka/topics';
import { z } from 'zod';
import { ConsumerError } from '../errors.ts';
import { difference, type Difference } from './difference.ts';

const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** As they are written on a topic: numbers and truths of YAML too. */
const HEADERS = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()], { error: 'is not a text' }).transform(String),
);

const EXPECTED = z.strictObject({
  priority: z.enum(['high', 'normal', 'low']).optional(),
  /** Text: the very bytes; anything else: the same JSON value. */
  body: z.unknown().optional(),
  key: z.string().optional(),
  headers: HEADERS.optional(),
});

const TEST = z
  .strictObject({
    name: z.string().min(1),
    /** Text: the record's own text; anything else: its value. */
    record: z
      .union([z.string(), z.record(z.string(), z.unknown())], { error: 'is neither an object nor the text of one' })
      .optional(),
    /** A file with one record, beside this one. */
    file: z.string().min(1).optional(),
    headers: HEADERS.prefault({}),
    key: z.string().optional(),
    routes: z
      .union([z.array(z.string()), z.record(z.string(), EXPECTED.nullable())], {
        error: 'is neither a list of names nor, by name, what is delivered',
      })
      .optional(),
    /** By route: words that the reason of its dead letter has. */
    errors: z.record(z.string(), z.string()).prefault({}),
  })
  .refine(({ record, file }) => (record === undefined) !== (file === undefined), {
    error: 'needs either a record or a file',
  });

const SUITE = z.strictObject({
  tests: z
    .array(TEST)
    .min(1)
    .superRefine((tests, context) => {
      const names = tests.map(({ name }) => name);
      for (const [index, name] of names.entries()) {
        const earlier = names.indexOf(name);
        if (earlier === index) continue;
        context.addIssue({ code: 'custom', path: [index, 'name'], message: `is the name of tests.${earlier} already` });
      }
    }),
});

type RouteTest = z.infer<typeof TEST>;
type Expected = z.infer<typeof EXPECTED>;

export interface RouteTestResult {
  readonly name: string;
  readonly passed: boolean;
  readonly differences: readonly Difference[];
}

/** What a route does with a record. */
interface Done {
  readonly body: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Runs the tests of a `routes.test.yaml` against the routes of the configuration, without Kafka. Throws
 * `test-file-unusable`, which names what is wrong with the file and where.
 */
export function runRouteSuite(file: string, plans: readonly RoutePlan[]): RouteTestResult[] {
  const { tests } = readSuite(file);
  return tests.map((one) => {
    const differences = compare(one, textOf(one, file), plans);
    return { name: one.name, passed: differences.length === 0, differences };
  });
}

function readSuite(file: string): z.infer<typeof SUITE> {
  // The reader is that of the configuration: of a file that is not there it would speak as of --config.
  contentOf(file);
  const problems: ConfigError['problems'][number][] = [];
  const read = readConfigurationFile(file, problems);
  const [first] = problems;
  if (first) throw unusable(`${first.path} ${first.problem}; ${first.fix}.`);
  const parsed = SUITE.safeParse(read.value);
  if (parsed.success) return parsed.data;
  const told = parsed.error.issues
    .flatMap(explained)
    .map(({ path, message }) => `${read.sourceOf(path) ?? file}: ${path.join('.')}: ${message}.`);
  throw unusable(`${file} is no suite of tests. ${told.slice(0, 10).join(' ')}`);
}

/** Each unknown key where it stands. Of a choice, what is wrong with the kind that was meant: the one of which more than the kind was looked at. */
function explained(issue: z.core.$ZodIssue): Pick<z.core.$ZodIssue, 'path' | 'message'>[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is no key that is known here' }));
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((issues) => issues.every(({ path }) => path.length > 0));
  if (!meant) return [issue];
  return meant.flatMap(explained).map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}

function textOf({ record, file: given }: RouteTest, suite: string): string {
  if (typeof record === 'string') return record;
  if (record !== undefined) return JSON.stringify(record);
  return contentOf(resolve(dirname(suite), given!));
}

function contentOf(file: string): string {
  try {
    if (statSync(file).size > MAX_FILE_BYTES) throw unusable(`${file} is larger than 64 MiB; give one record.`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof ConsumerError) throw error;
    throw unusable(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}).`);
  }
}

function compare(one: RouteTest, text: string, plans: readonly RoutePlan[]): Difference[] {
  const read = parseRecord({ kind: 'record', body: Buffer.from(text), contentType: 'application/json' });
  if (read.kind === 'unreadable') {
    const why = read.cause === 'json-invalid' ? `its ${text.length} characters are not one JSON text.` : read.reason;
    throw unusable(`The record of the test "${one.name}" is not usable: ${why}`);
  }
  if (typeof read.parsed !== 'object' || read.parsed === null || Array.isArray(read.parsed))
    throw unusable(`The record of the test "${one.name}" is no JSON object; a file holds one record.`);
  const headers = Object.fromEntries(Object.entries(one.headers).map(([name, value]) => [name, Buffer.from(value)]));
  const done = new Map<string, Done>();
  const errors = new Map<string, string>();
  for (const plan of plans) {
    const verdict = picks(plan, read.parsed, headers);
    if ('error' in verdict) errors.set(plan.name, verdict.error);
    if (!('matched' in verdict) || !verdict.matched) continue;
    const shaped = reshaped(plan, read.parsed, text, headers);
    if (shaped && 'failed' in shaped) errors.set(plan.name, shaped.failed);
    else
      done.set(plan.name, {
        body: shaped?.body?.toString('utf8') ?? text,
        key: shaped?.key ?? keyOf(one, read.parsed),
        headers: shaped?.headers ?? {},
      });
  }
  return [...routesDiffer(one, done, errors), ...errorsDiffer(one, errors), ...deliveriesDiffer(one, done, plans)];
}

function keyOf({ key }: RouteTest, record: object): string {
  const { conversationId } = record as { conversationId?: unknown };
  return key ?? (typeof conversationId === 'string' ? conversationId : '');
}

function routesDiffer(
  { routes }: RouteTest,
  done: ReadonlyMap<string, Done>,
  errors: ReadonlyMap<string, string>,
): Difference[] {
  if (routes === undefined) return [];
  const expected = Array.isArray(routes) ? routes : Object.keys(routes);
  const actual = done.size === 0 && errors.size === 0 ? [UNROUTED] : [...done.keys()];
  return difference('routes', [...expected].sort(), actual.sort());
}

function errorsDiffer({ errors: expected }: RouteTest, errors: ReadonlyMap<string, string>): Difference[] {
  const names = [...new Set([...Object.keys(expected), ...errors.keys()])].sort();
  return names.flatMap((route) => {
    const [wanted, found] = [expected[route], errors.get(route)];
    if (wanted !== undefined && found?.includes(wanted) === true) return [];
    return difference(`errors.${route}`, wanted === undefined ? [] : [wanted], found === undefined ? [] : [found]);
  });
}

function deliveriesDiffer(
  { routes }: RouteTest,
  done: ReadonlyMap<string, Done>,
  plans: readonly RoutePlan[],
): Difference[] {
  if (routes === undefined || Array.isArray(routes)) return [];
  return Object.entries(routes).flatMap(([route, expected]) => {
    const found = done.get(route);
    const plan = plans.find(({ name }) => name === route);
    // Told as a route that is not taken.
    if (!found || !plan || expected === null) return [];
    return deliveryDiffers(route, expected, found, plan.priority);
  });
}

function deliveryDiffers(
  route: string,
  { priority, body, key, headers }: Expected,
  found: Done,
  actual: string,
): Difference[] {
  return [
    ...(priority === undefined ? [] : difference(`${route}.priority`, [priority], [actual])),
    ...(key === undefined ? [] : difference(`${route}.key`, [key], [found.key])),
    ...(headers === undefined ? [] : difference(`${route}.headers`, headerLines(headers), headerLines(found.headers))),
    ...(body === undefined ? [] : bodyDiffers(route, body, found.body)),
  ];
}

function bodyDiffers(route: string, expected: unknown, text: string): Difference[] {
  if (typeof expected === 'string') return difference(`${route}.body`, expected.split('\n'), text.split('\n'));
  return difference(`${route}.body`, jsonLines(expected), jsonLines(JSON.parse(text)));
}

function headerLines(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .sort();
}

/** The same for the same value, in whatever order its keys are. */
function jsonLines(value: unknown): string[] {
  return JSON.stringify(sorted(value), undefined, 2).split('\n');
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

function unusable(what: string): ConsumerError {
  const remedy = 'See docs/routes.md for how a file of tests is written.';
  return new ConsumerError('test-file-unusable', what, { remedy });
}
