import { type ChaosProxy, type Fleet, type Postgres } from '@genesys-kafka/testing';
import type { Bucket } from '../fixtures/bucket.ts';
import type { Area, Bus } from '../fixtures/bus.ts';
import type { LINKS } from './disturbances.ts';
import type { MoodyTarget } from './moody-target.ts';

/** What is set up for a soak. */
export interface Scene {
  readonly bus: Bus;
  readonly area: Area;
  readonly target: MoodyTarget;
  readonly bucket: Bucket;
  readonly postgres: Postgres;
  readonly links: Readonly<Record<(typeof LINKS)[number], ChaosProxy>>;
  readonly fleet: Fleet;
  /** The configuration of the process with this number: each has a file of its own to write to. */
  readonly config: (number: number) => string;
  readonly dir: string;
  /** What something is being done to that is only done once at a time. */
  readonly busy: Set<string>;
}

/** Where each sink's target is, as its settings have it. */
interface Targets {
  readonly http: string;
  readonly table: string;
  readonly log: string;
  readonly lake: object;
  readonly letters: object;
}

/** Routes to every kind of sink. */
export function configText(area: Area, { http, table, log, lake, letters }: Targets): string {
  const breaker = { cooldown: '500ms' };
  const toHttp = (path: string) => ({ type: 'http', url: `http://${http}${path}`, timeout: '3s', breaker });
  const { type: _, ...objects } = letters as { readonly type: string };
  return area.config({
    routes: [
      { name: 'crm', sink: 'crm', priority: 'high' },
      { name: 'audit', sink: 'audit', when: 'int(record.n) % 2 == 0', priority: 'low' },
      { name: 'ordered', sink: 'ordered', retry: { blocking: true, attempts: 100 } },
      { name: 'bulk', sink: 'bulk' },
      { name: 'table', sink: 'table' },
      { name: 'lake', sink: 'lake' },
      { name: 'copy', sink: 'copy' },
      { name: 'log', sink: 'log' },
    ],
    sinks: {
      crm: toHttp('/crm'),
      audit: toHttp('/audit'),
      ordered: toHttp('/ordered'),
      bulk: {
        ...toHttp('/bulk'),
        batch: { records: 50, age: '100ms' },
        body: { format: 'ndjson', item: '{{record}}' },
      },
      table: { type: 'postgres', url: table, table: 'soak', timeout: '3s', breaker },
      lake: { ...lake, batch: { age: '5s' }, breaker },
      copy: { type: 'kafka', topic: `${area.prefix}copy`, breaker },
      log: { type: 'file', path: log, rotate: { bytes: '200KiB' } },
    },
    deadLetters: { objects },
  });
}
