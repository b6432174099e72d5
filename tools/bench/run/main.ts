/** `npm run bench:run`: what `producer run` promises in figures, on one machine. See `--help`. */
import { runMain } from '@genesys-kafka/runtime/cli';
import { startStack } from '@genesys-kafka/testing';
import { budget } from './budget.ts';
import { freshness } from './freshness.ts';
import { scaleOut } from './scale-out.ts';

const HELP = `npm run bench:run -- [scale-out] [freshness] [budget]

Measures \`producer run\` against the simulator, all three or those that are named, a line of JSON each on stdout:

  scale-out   a backfill of twelve one-day windows by one process and by three, where the process is the limit
  freshness   from a window becoming available to its records on the topic, with jobs of 1 s and of 15 s
  budget      twenty windows at a time, by one process and by three, against 300 requests a minute
`;

const NAMES = ['scale-out', 'freshness', 'budget'];
const say = (text: string) => process.stderr.write(`${text}\n`);

await runMain(async ({ signal }) => {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  const unknown = args.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    say(`${unknown} is not measured here; write ${NAMES.join(', ')}.`);
    return 2;
  }
  const wanted = args.length > 0 ? args : NAMES;
  await using stack = await startStack({ signal, onProgress: (line) => say(`  ${line}`) });
  const tell = (figures: object) => process.stdout.write(`${JSON.stringify(figures)}\n`);
  if (wanted.includes('scale-out')) tell(await scaleOut(stack, signal));
  if (wanted.includes('freshness')) for (const jobMs of [1000, 15_000]) tell(await freshness(stack, jobMs, signal));
  if (wanted.includes('budget')) for (const processes of [1, 3]) tell(await budget(stack, processes, signal));
  return 0;
});
