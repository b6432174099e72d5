import type { Handle } from '@genesys-kafka/runtime/cli';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Settings } from '../../settings.ts';
import { exportLines, letterLines, letterListLines, purgeLines, replayLines, statsLines } from '../report-lines.ts';
import { count, rate } from '../run-options.ts';
import { moment, withFilter, type FilterFlags } from './filter-options.ts';

interface ReplayFlags extends FilterFlags {
  readonly rate: number;
  readonly max?: number;
  readonly loopGuard: number;
  readonly force?: boolean;
  readonly againBefore?: number;
  readonly dryRun?: boolean;
}

/** `consumer dead-letters …`: what each command does is loaded when it runs. */
export function addDeadLetters(program: Command, handle: Handle<Settings>): void {
  const letters = program.command('dead-letters').description('list, look at, replay, purge what was given up');
  const commands = () => import('./letters.ts');
  const list = handle(async (session, { limit, ...flags }: FilterFlags & { readonly limit: number }) => {
    const { listLetters } = await commands();
    await session.tell(await listLetters(session, flags, limit), letterListLines);
    return 0;
  });
  withFilter(letters.command('list').description('dead letters without their values, each once'))
    .addOption(new Option('--limit <n>', 'at most so many').argParser(count).default(100))
    .action(list);
  const show = handle(async (session, id: string) => {
    const { showLetter } = await commands();
    await session.tell(await showLetter(session, id), letterLines);
    return 0;
  });
  letters
    .command('show')
    .description('one dead letter with headers and value')
    .argument('<id>', 'as listed')
    .action(show);
  const stats = handle(async (session, flags: FilterFlags) => {
    const { countLetters } = await commands();
    await session.tell(await countLetters(session, flags), statsLines);
    return 0;
  });
  withFilter(
    letters.command('stats').description('how many, by route, stage and cause, and what was done with them last'),
  ).action(stats);
  addReplay(letters, handle, commands);
  addPurge(letters, handle, commands);
  addExport(letters, handle, commands);
}

type Commands = () => Promise<typeof import('./letters.ts')>;

function addReplay(letters: Command, handle: Handle<Settings>, commands: Commands): void {
  const replay = handle(async (session, given: ReplayFlags) => {
    const { rate: perSecond, max, loopGuard, force, againBefore, dryRun, ...flags } = given;
    // A dry run is over in a moment, and replays nothing.
    const onProgress = (replayed: number) => {
      if (dryRun !== true) session.log.info({ replayed }, 'dead letters replayed');
    };
    const { replayLetters } = await commands();
    const command = {
      perSecond,
      max: max ?? Number.POSITIVE_INFINITY,
      mostReplays: force ? Number.POSITIVE_INFINITY : loopGuard,
      againBeforeMs: againBefore,
      dryRun: dryRun ?? false,
      onProgress,
    };
    await session.tell(await replayLetters(session, flags, command), replayLines);
    return 0;
  });
  withFilter(
    letters
      .command('replay')
      .summary('send dead letters back to their routes, each once')
      .description(
        'send dead letters back to their routes, each once; the same command again goes on where it stopped',
      ),
  )
    .addOption(new Option('--rate <n/s>', 'at most so many a second').argParser(rate).default(50, '50/s'))
    .addOption(new Option('--max <n>', 'no more than so many').argParser(many))
    .addOption(
      new Option('--loop-guard <n>', 'leave what was replayed so often and died again').argParser(count).default(3),
    )
    .option('--force', 'replay also what came back each time')
    .addOption(
      new Option(
        '--again-before <time>',
        'replay again what was replayed before then, since its topic lost it before the route read it; what was delivered is delivered again',
      )
        .argParser(past)
        .conflicts('state'),
    )
    .option('--dry-run', 'say what would be done, and write nothing')
    .action(replay);
}

function addPurge(letters: Command, handle: Handle<Settings>, commands: Commands): void {
  const purge = handle(async (session, { yes, ...flags }: FilterFlags & { readonly yes?: boolean }) => {
    const { purgeLetters } = await commands();
    await session.tell(await purgeLetters(session, flags, !(yes ?? false)), purgeLines);
    return 0;
  });
  withFilter(
    letters
      .command('purge')
      .summary('take dead letters away; says what it would, until told --yes')
      .description(
        'take dead letters away: object storage deletes them, on the topic they are shown no more. Without --yes it says what it would do',
      ),
  )
    .option('--yes', 'do it')
    .action(purge);
}

function addExport(letters: Command, handle: Handle<Settings>, commands: Commands): void {
  const write = handle(async (session, { to, ...flags }: FilterFlags & { readonly to?: string }) => {
    const { exportLetters } = await commands();
    const report = await exportLetters(session, flags, to);
    if (to === undefined) session.log.info(report, 'dead letters exported');
    else await session.tell(report, exportLines);
    return 0;
  });
  withFilter(
    letters
      .command('export')
      .summary('dead letters with their values, one a line, as in object storage')
      .description('dead letters with their values as NDJSON, in the format that they have in object storage'),
  )
    .option('--to <file>', 'write it there, not to stdout')
    .action(write);
}

/** A later one would not tell what was replayed again from what was not, and the same command would not go on. */
function past(text: string): number {
  const ms = moment(text);
  if (ms > Date.now()) throw new InvalidArgumentError('Write a moment that has passed.');
  return ms;
}

function many(text: string): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : 0;
  if (value < 1) throw new InvalidArgumentError('Write a whole number from 1 on.');
  return value;
}
