import { createHash } from 'node:crypto';
import type { Priority, RetryPolicy } from '@genesys-kafka/delivery';
import { compileReshape, type Reshape, type ReshapeSettings, type Shaped } from './reshape.ts';
import { compileRule, type Rule, type RuleVerdict } from './rule.ts';

/** 64 bits: a change is told from no change, nothing more. */
const FINGERPRINT_CHARS = 16;

/** What routing reads of a program's settings. */
export interface RoutingSettings {
  readonly connector: string;
  readonly kafka: { readonly topicPrefix: string };
  readonly routes: readonly {
    readonly name: string;
    readonly when?: string | undefined;
    readonly from?: RouteStart;
    readonly reshape?: ReshapeSettings | undefined;
    readonly sink: string;
    readonly priority: Priority;
    readonly conflict?: RetryPolicy['conflict'];
    /** Instead of the `retry` of all. */
    readonly retry: { readonly attempts?: number | undefined; readonly blocking?: boolean | undefined };
  }[];
  readonly retry: { readonly tiersMs: readonly number[]; readonly attempts: number; readonly blocking: boolean };
}

/** Where a new route begins; a number is milliseconds since the epoch. */
export type RouteStart = 'earliest' | 'latest' | number;

/** Whom a retry record belongs to. */
export type Owner = { readonly route: string; readonly group: string } | 'nobody';

/** One route of the configuration, its rule compiled. */
export interface RoutePlan {
  readonly name: string;
  readonly groupId: string;
  /** Absent: all records. */
  readonly rule: Rule | undefined;
  /** Absent: the record's own bytes, and nothing is looked at. */
  readonly reshape?: Reshape;
  readonly sink: string;
  readonly priority: Priority;
  readonly policy: RetryPolicy;
  readonly blocking: boolean;
}

/** What the groups of all routes of a connector begin with. The topic prefix makes prefixed ACLs cover them. */
export function groupPrefixOf({ kafka, connector }: RoutingSettings): string {
  return `${kafka.topicPrefix}${connector}.`;
}

/** Each route is a consumer group of its own. */
export function groupIdOf(settings: RoutingSettings, route: string): string {
  return `${groupPrefixOf(settings)}${route}`;
}

/** Throws `rule-invalid` and `reshape-invalid` for expressions that cannot be used as written. */
export function planRoutes(settings: RoutingSettings): RoutePlan[] {
  return settings.routes.map(({ name, when, reshape, sink, priority, conflict, retry }) => ({
    name,
    groupId: groupIdOf(settings, name),
    rule: when === undefined ? undefined : compileRule(when, name),
    ...(reshape === undefined ? {} : { reshape: compileReshape(reshape, name) }),
    sink,
    priority,
    policy: {
      tiersMs: settings.retry.tiersMs,
      maxAttempts: (retry.attempts ?? settings.retry.attempts) + 1,
      ...(conflict === undefined ? {} : { conflict }),
    },
    blocking: retry.blocking ?? settings.retry.blocking,
  }));
}

/** Which records are whose: names and rules of all routes, whatever their order. Equal where nothing of it was changed. */
export function rulesFingerprint({ routes }: Pick<RoutingSettings, 'routes'>): string {
  const rules = routes.map(({ name, when }) => [name, when ?? null] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, FINGERPRINT_CHARS);
}

/** A record's headers, as Kafka has them. */
type Headers = Readonly<Record<string, Buffer>>;

export function picks({ rule }: RoutePlan, record: unknown, headers: Headers): RuleVerdict {
  return rule === undefined ? ALL : rule.evaluate({ record, headers: ruleHeaders(headers) });
}

/** What the route delivers of a record; undefined where that is the record as it is. `text` is the record's own. */
export function reshaped(
  { reshape }: Pick<RoutePlan, 'reshape'>,
  record: unknown,
  text: string,
  headers: Headers,
): Shaped | { readonly failed: string } | undefined {
  return reshape?.({ record, headers: ruleHeaders(headers) }, text);
}

const ALL: RuleVerdict = { matched: true };

function ruleHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString('utf8')]));
}

/** Whether no route takes the record, where each has a rule. One whose rule fails has it: that route makes a dead letter of it. */
export function picksUnrouted(plans: readonly RoutePlan[], record: unknown, headers: Headers): RuleVerdict {
  const input = { record, headers: ruleHeaders(headers) };
  const taken = plans.some(({ rule }) => {
    const verdict = rule!.evaluate(input);
    return 'error' in verdict || verdict.matched;
  });
  return { matched: !taken };
}

export function owns(plan: RoutePlan, owner: Owner): boolean {
  return owner !== 'nobody' && owner.route === plan.name && owner.group === plan.groupId;
}

/**
 * Retry records that would otherwise be skipped by everybody for ever: those without an owner, and those of a
 * route of this connector that is in the configuration no more. Only from the change on: what the group `unrouted` has
 * passed while the route was still there is behind it, so a route is drained (`run --drain`) before it is removed.
 */
export function ownsOrphan(settings: RoutingSettings, owner: Owner): boolean {
  if (owner === 'nobody') return true;
  const known = settings.routes.some(({ name }) => name === owner.route);
  return !known && owner.group === groupIdOf(settings, owner.route);
}
