import { createMetrics, type Metrics } from '@genesys-kafka/runtime';
import { code, page, table } from './markdown.ts';
import { load } from './repository.ts';

/** Where each program makes its metrics, by a function that takes the registry first. */
const FACTORIES = [
  { program: 'producer', file: 'apps/producer/src/commands/observer.ts', factory: 'createObserver' },
  { program: 'producer run', file: 'apps/producer/src/run/run-metrics.ts', factory: 'createRunMetrics' },
  { program: 'consumer', file: 'apps/consumer/src/route/consumer-metrics.ts', factory: 'createConsumerMetrics' },
] as const;

const INTRODUCTION = `Served in Prometheus' text format under \`/metrics\` where \`HTTP_PORT\` is set, beside the usual \`process_*\` and
\`nodejs_*\` figures of prom-client. Labels are names out of the configuration and stable codes, never keys, contents or
addresses.`;

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export async function metricsPage(): Promise<string> {
  const parts: string[] = [];
  for (const { program, file, factory } of FACTORIES) {
    const create = (await load(file))[factory] as (metrics: Metrics, ...ports: unknown[]) => unknown;
    const rows = (await metricsOf(create)).map(({ name, type, labels, help }) => [
      code(name),
      type,
      labels.map(code).join(' '),
      help,
    ]);
    parts.push(`## ${program}`, table(['metric', 'type', 'labels', 'meaning'], rows));
  }
  return page('Metrics', INTRODUCTION, ...parts);
}

/** What `create` registers on a real registry, with what every program has by itself. */
async function metricsOf(create: (metrics: Metrics, ...ports: unknown[]) => unknown): Promise<Metric[]> {
  using metrics = createMetrics();
  const labels = new Map<string, readonly string[]>();
  create(recording(metrics, labels), idle, idle);
  const text = await metrics.text();
  return [...text.matchAll(/^# HELP (genesys_kafka_(\S+)) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name, short, help, type]) => ({
      name: name!,
      type: type!,
      help: help!,
      labels: labels.get(short!) ?? sampleLabels(text, name!),
    }),
  );
}

/** The registry, noting the labels of what is registered: without a sample its text does not tell them. */
function recording(metrics: Metrics, labels: Map<string, readonly string[]>): Metrics {
  const note = (name: string, names: readonly string[] = []) => void labels.set(name, names);
  return {
    ...metrics,
    counter: (name, help, names) => {
      note(name, names);
      return metrics.counter(name, help, names);
    },
    gauge: (name, help, names, read) => {
      note(name, names);
      return metrics.gauge(name, help, names, read);
    },
    histogram: (name, help, buckets, names) => {
      note(name, names);
      return metrics.histogram(name, help, buckets, names);
    },
  };
}

function sampleLabels(text: string, name: string): string[] {
  const sample = new RegExp(`^${name}\\{([^}]*)\\}`, 'm').exec(text)?.[1] ?? '';
  return [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label!);
}

/** Stands for progress, logger and clocks: a factory does not call them. */
const idle = {};
