import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, Option } from 'commander';
import { describeProgram } from './commands.ts';

test('a program is described with the commands of its groups, their arguments, options, choices and defaults', () => {
  const program = new Command('bus').description('Drives').option('--json', 'one document');
  const tours = program.command('tours').description('round trips');
  tours
    .command('show')
    .description('one of them')
    .argument('<id>', 'as listed')
    .requiredOption('--day <day>', 'which day')
    .addOption(new Option('--seats <n>', 'how many | at least').default(50, '50 seats'))
    .addOption(new Option('--pay <how>', 'how').choices(['cash', 'card']))
    .addOption(new Option('--secret').hideHelp());
  assert.deepEqual(describeProgram('npm run bus --', program), [
    '## bus',
    'Drives. Started with `npm run bus -- …`',
    '| option | meaning |\n|---|---|\n| `--json` | one document |',
    '### bus tours show',
    'One of them.',
    '`bus tours show [options] <id>`',
    '| argument | meaning |\n|---|---|\n| `id` | as listed |',
    '| option | meaning |\n|---|---|\n| `--day <day>` | which day (required) |\n| `--seats <n>` | how many \\| at least (default 50 seats) |\n| `--pay <how>` | how (`cash`, `card`) |',
  ]);
});
