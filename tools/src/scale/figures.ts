import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../reference/repository.ts';

/** What is read of docs/benchmarks.json: the last run of `npm run bench -- --write`. */
export interface Benchmark {
  readonly date: string;
  readonly command: string;
  readonly records: number;
  readonly jsonBytes: number;
  readonly archiveBytes: number;
  readonly lines: readonly BenchmarkLine[];
}

interface BenchmarkLine {
  readonly name: string;
  readonly seconds: { readonly median: number };
  readonly clientCpuSeconds?: { readonly median: number };
  readonly brokerCpuSeconds?: { readonly median: number };
}

/** What one conversation costs, and how many a process does. */
export interface Figures {
  readonly jsonBytes: number;
  readonly zipBytes: number;
  /** CPU seconds of the producer, by contract. */
  readonly producerCpuSeconds: Readonly<Record<'details-jobs' | 'bulk-archive', number>>;
  readonly brokerCpuSeconds: number;
  /** Conversations that one producer process publishes in a second. */
  readonly publishedPerSecond: number;
}

export function lastBenchmark(): Benchmark {
  return JSON.parse(readFileSync(join(ROOT, 'docs/benchmarks.json'), 'utf8')) as Benchmark;
}

/** Per conversation, by the medians. Throws where a line that is needed was not run, or its CPU time was not seen. */
export function figuresOf({ records, jsonBytes, archiveBytes, lines }: Benchmark): Figures {
  const line = (name: string) => {
    const found = lines.find((one) => one.name === name);
    if (!found?.clientCpuSeconds || !found.brokerCpuSeconds) {
      throw new Error(`docs/benchmarks.json has no ${name} with its CPU times: run npm run bench -- --write.`);
    }
    return {
      seconds: found.seconds.median,
      client: found.clientCpuSeconds.median,
      broker: found.brokerCpuSeconds.median,
    };
  };
  const publish = line('publish');
  return {
    jsonBytes: jsonBytes / records,
    zipBytes: archiveBytes / records,
    producerCpuSeconds: {
      'details-jobs': line('export-details-jobs').client / records,
      'bulk-archive': line('export-bulk-archive').client / records,
    },
    brokerCpuSeconds: publish.broker / records,
    publishedPerSecond: records / publish.seconds,
  };
}
