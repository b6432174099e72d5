import {
  count,
  identifier,
  instant,
  listOf,
  text,
  treeOf,
  type CrossCheck,
  type Given,
} from '@genesys-kafka/runtime/settings';
import { z } from 'zod';

/** Name of the implicit route of what no rule picks; a route of one's own may not have it. */
export const UNROUTED = 'unrouted';

/** What a request or a message has anyhow, and must not be told otherwise. */
const OWN_HEADERS = new Set(
  (
    'idempotency-key record-version content-type content-length content-encoding transfer-encoding host connection ' +
    'expect upgrade keep-alive te trailer'
  ).split(' '),
);

const HEADER_NAME = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~A-Za-z0-9-]{1,100}$/, { error: 'is not a header name; use letters, digits and dashes' })
  .refine((name) => !OWN_HEADERS.has(name.toLowerCase()), { error: 'is a header of our own; choose another name' });

const RESHAPE = z.strictObject({
  body: text(20_000)
    .optional()
    .meta({ description: 'CEL expression that makes the body, a JSON value; without it, the record’s own bytes.' }),
  key: text(20_000)
    .optional()
    .meta({ description: 'CEL expression that gives the key; without it, the conversation’s id.' }),
  headers: z
    .record(HEADER_NAME, text(20_000))
    .prefault({})
    .meta({ kind: 'object', description: 'CEL expressions by header name; null leaves a header out.' }),
});

const FROM_FAULT =
  'is neither earliest nor latest nor a moment; write a day such as 2026-01-31, or 2026-01-31T08:00:00Z';

const START = z.string().transform((value, context): 'earliest' | 'latest' | number => {
  if (value === 'earliest' || value === 'latest') return value;
  const { data } = instant().safeParse(value);
  if (data !== undefined) return data;
  context.addIssue({ code: 'custom', message: FROM_FAULT });
  return z.NEVER;
});

/** Names whose groups, `<prefix><connector>.<name>`, are others'. */
const KEPT: ReadonlyMap<unknown, string> = new Map([
  [UNROUTED, 'is kept for the records that no route picks'],
  ['run', 'is kept: its consumer group is the one by which processes of `producer run` share their work'],
]);

const ROUTE = z.strictObject({
  name: identifier(100).meta({ description: 'Names its consumer group: renaming a route starts it anew.' }),
  when: text(20_000)
    .optional()
    .meta({ description: 'CEL expression over record and headers; without it, all records.' }),
  from: START.prefault('earliest').meta({
    kind: 'earliest, latest or instant',
    description: 'Where a new route begins on the main topic; counts once, where its group has no offsets.',
  }),
  reshape: RESHAPE.optional(),
  sink: identifier(100).meta({ description: 'Where the records go: a name under sinks.' }),
  priority: z.enum(['high', 'normal', 'low']).prefault('normal').meta({
    description: 'Who goes first when routes share a sink.',
  }),
  conflict: z.enum(['dead-letter', 'delivered', 'retry']).prefault('dead-letter').meta({
    description: 'What a 409 that does not name our key means, as where the target has a newer version already.',
  }),
  retry: z
    .strictObject({
      attempts: count(0, 100)
        .optional()
        .meta({ description: 'Retries before the dead letter, instead of retry.attempts.' }),
      blocking: z.boolean().optional().meta({ description: 'Instead of retry.blocking.' }),
    })
    .prefault({}),
});

/** `routes`: which records go where. */
export const ROUTES_SECTION = z
  .array(ROUTE)
  .max(1000)
  .prefault([])
  .meta({ kind: 'list', description: 'Which records go where; each route is a consumer group of its own.' });

export const ROUTE_CHECKS: readonly CrossCheck[] = [sinksExist, namesAreFree];

function sinksExist({ tree }: Given) {
  const sinks = Object.keys(treeOf(tree.sinks));
  const choice = sinks.length === 0 ? 'there are none yet' : `choose ${sinks.join(', ')}`;
  return routesOf(tree).flatMap(({ sink }, index) => {
    if (typeof sink !== 'string' || sinks.includes(sink)) return [];
    const fix = `add it there; or else: ${choice}`;
    return [{ path: `routes.${index}.sink`, problem: 'names a sink that is not under sinks', fix }];
  });
}

function namesAreFree({ tree }: Given) {
  const names = routesOf(tree).map(({ name }) => name);
  return names.flatMap((name, index) => {
    const path = `routes.${index}.name`;
    const kept = KEPT.get(name);
    if (kept !== undefined) return [{ path, problem: kept, fix: 'choose another one' }];
    const earlier = names.indexOf(name);
    if (typeof name !== 'string' || earlier === index) return [];
    const problem = `is the name of routes.${earlier} already`;
    return [{ path, problem, fix: 'choose another one: it names the consumer group' }];
  });
}

function routesOf(tree: Given['tree']) {
  return listOf(tree.routes).map(treeOf);
}
