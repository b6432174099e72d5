/**
 * `npm run soak:consumer`: `consumer run` at every kind of sink, with everything going wrong, and a proof at the end. See
 * `--help`. It needs Go or a storage, see `startStorage`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runMain } from '@genesys-kafka/runtime/cli';
import { Fleet, runSoak, startPostgres, startProxy, startStorage } from '@genesys-kafka/testing';
import { Bucket } from '../fixtures/bucket.ts';
import { startBus } from '../fixtures/bus.ts';
import { quick, runConsumer } from '../fixtures/consumer-process.ts';
import { disturb } from './disturb.ts';
import { MoodyTarget } from './moody-target.ts';
import { HELP, parseOptions, type SoakOptions } from './options.ts';
import { bugsIn, settle, verdicts } from './proof.ts';
import { publishUntil } from './publishing.ts';
import { configText } from './scene.ts';
import type { judge } from './verdict.ts';

/** `run` promises to be gone by then. */
const STOP_MS = 30_000;

const say = (text: string) => process.stderr.write(`${text}\n`);

await runMain(async ({ signal }) =>
  runSoak(process.argv.slice(2), {
    help: HELP,
    parse: parseOptions,
    soak: async (options, dir) => soak(options, dir, signal),
    say,
  }),
);

async function soak(options: SoakOptions, dir: string, signal: AbortSignal): Promise<boolean> {
  const onProgress = (line: string) => say(`  ${line}`);
  await using bus = await startBus({ brokers: 3, signal, onProgress });
  await using area = await bus.area();
  await using storage = await startStorage({ signal, onProgress });
  await using postgres = await startPostgres({ own: true, signal, onProgress });
  await using target = await MoodyTarget.listen(['/ordered']);
  const addresses = {
    http: target.address,
    storage: new URL(storage.endpoint).host,
    postgres: new URL(postgres.url).host,
  };
  await using http = await startProxy({ target: addresses.http });
  await using store = await startProxy({ target: addresses.storage });
  await using db = await startProxy({ target: addresses.postgres });
  const links = { http, storage: store, postgres: db };
  using bucket = await Bucket.create(storage);
  using letterBucket = await Bucket.create(storage);
  await area.client.admin.createMissing([{ name: `${area.prefix}copy`, partitions: 4, config: {} }]);
  const objects = { endpoint: `http://${store.address}` };
  const [lake, letters] = [bucket.sink(objects), letterBucket.sink(objects)];
  const table = postgres.url.replace(addresses.postgres, db.address);
  const config = (number: number) =>
    configText(area, { http: http.address, lake, table, letters, log: join(dir, `log-${number}.ndjson`) });
  await runConsumer(config(0), ['check']);
  const args = (number: number) => {
    const file = join(dir, `config-${number}.yaml`);
    writeFileSync(file, config(number), { mode: 0o600 });
    return ['--config', file, '--json', 'run', ...quick];
  };
  await using fleet = new Fleet({ app: 'consumer', args, env: base(), stopMs: STOP_MS, dir, say });
  for (let n = 0; n < options.processes; n += 1) fleet.start();
  const scene = { bus, area, target, bucket, postgres, links, fleet, config, dir, busy: new Set<string>() };

  const ending = new AbortController();
  const publishing = publishUntil(ending.signal, area, options);
  const [happened, failures] = await disturb(options, scene, say, signal);
  ending.abort();
  const failedTransactions = await publishing;
  say('all is mended');
  target.mend();
  await fleet.stop();
  failures.push(...fleet.faults, ...(await settle(scene)), ...(await bugsIn(dir)));
  return tell(options, await verdicts(scene), failures, { happened, failedTransactions });
}

/** One line of JSON on stdout, what is wrong on stderr; true where nothing is. */
function tell(
  { seed, minutes }: SoakOptions,
  sinks: Readonly<Record<string, ReturnType<typeof judge>>>,
  failures: readonly string[],
  more: object,
): boolean {
  const told = Object.entries(sinks).map(([name, { faults, repeats }]) => [name, { faults: faults.length, repeats }]);
  const report = { seed, minutes, ...more, failures: failures.length, sinks: Object.fromEntries(told) as object };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  for (const text of failures.slice(0, 40)) say(text);
  for (const [name, { faults }] of Object.entries(sinks))
    for (const text of faults.slice(0, 20)) say(`${name}: ${text}`);
  return failures.length === 0 && Object.values(sinks).every(({ faults }) => faults.length === 0);
}

/** No setting of the user's environment leaks in. */
function base(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
