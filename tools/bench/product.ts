import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { measure, startScript, type SimulatorEnv, type Stack } from '@genesys-kafka/testing';
import type { BenchCase, CaseRun } from './cases.ts';
import { startFilesHost, startSimulator, type SourceServer } from './servers.ts';

export const PRODUCT_NAMES = [
  'publish',
  'publish-gzip',
  'publish-none',
  'publish-http',
  'export-details-jobs',
  'export-bulk-archive',
] as const;
export type ProductName = (typeof PRODUCT_NAMES)[number];

/** What the product's runs need: the archive, where it is served, and the stand-in that has the same conversations. */
export interface Sources extends AsyncDisposable {
  /** For what the runs write: configurations, spooled archives. */
  readonly dir: string;
  readonly archive: string;
  readonly filesHost: (SourceServer & { readonly url: string }) | undefined;
  readonly simulator: (SourceServer & { readonly env: SimulatorEnv }) | undefined;
  /** `--query` for bulk-archive: its default size would cut the conversations off. */
  readonly query: string;
}

/** Starts the servers that the cases of these names fetch from. */
export async function openSources(
  names: readonly ProductName[],
  { dir, archive, records }: { readonly dir: string; readonly archive: string; readonly records: number },
): Promise<Sources> {
  await using started = new AsyncDisposableStack();
  const filesHost = names.includes('publish-http') ? started.use(await startFilesHost(archive)) : undefined;
  const isExporting = names.some((name) => name.startsWith('export-'));
  const simulator = isExporting ? started.use(await startSimulator(records)) : undefined;
  const query = join(dir, 'query.json');
  await writeFile(query, JSON.stringify({ size: records + 1 }));
  const servers = started.move();
  return {
    ...{ dir, archive, filesHost, simulator, query },
    [Symbol.asyncDispose]: async () => servers.disposeAsync(),
  };
}

/** The producer of the checkout at `root` as a case; with `profiles` under V8's profiler, which writes there. */
export function productCase(
  name: ProductName,
  sources: Sources,
  stack: Stack,
  other?: { readonly root: string; readonly label: string },
  profiles?: string,
): BenchCase {
  const { args, env = {}, source } = commandOf(name, sources);
  const compression = /^publish-(gzip|none)$/.exec(name)?.[1] ?? 'zstd';
  // The organisation's budget is not what is measured.
  const settings = `kafka: { compression: ${compression} }\ngenesys: { requestsPerSecond: 1000 }\n`;
  return {
    name: other ? `${name} ${other.label}` : name,
    isProduct: true,
    rewrites: false,
    ...(source ? { sourcePid: source.pid } : {}),
    async run(prefix, signal): Promise<CaseRun> {
      const dir = await mkdtemp(join(sources.dir, 'run-'));
      try {
        const config = join(dir, 'config.yaml');
        await writeFile(config, settings);
        const loopDelay = join(dir, 'loop-delay');
        const measured = await measure(
          (options) =>
            startScript('producer', [...args, '--json', '--config', config], {
              ...options,
              ...(other ? { root: other.root } : {}),
            }),
          {
            ...env,
            KAFKA_BROKERS: stack.brokers.join(','),
            SCHEMA_REGISTRY_URL: stack.registryUrl,
            KAFKA_TOPIC_PREFIX: prefix,
            SPOOL_DIR: join(dir, 'spool'),
            NODE_OPTIONS: [
              `--import=${pathToFileURL(join(import.meta.dirname, 'loop-delay.ts')).href}`,
              ...(profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]),
            ].join(' '),
            BENCH_LOOP_DELAY: loopDelay,
          },
          { signal },
        );
        return { ...measured, loopDelayMs: Number(await readFile(loopDelay, 'utf8')) };
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  };
}

interface Command {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly source?: SourceServer;
}

function commandOf(name: ProductName, { archive, filesHost, simulator, query }: Sources): Command {
  if (name === 'publish-http') {
    const { url } = filesHost!;
    return { args: ['publish', url], env: { GENESYS_FILE_HOSTS: new URL(url).host }, source: filesHost! };
  }
  const contract = /^export-(.+)$/.exec(name)?.[1];
  if (contract === undefined) return { args: ['publish', archive] };
  const day = ['--from', '2025-10-01', '--to', '2025-10-02', '--contract', contract];
  const args = ['export', ...day, ...(contract === 'bulk-archive' ? ['--query', query] : [])];
  return { args, env: simulator!.env, source: simulator! };
}
