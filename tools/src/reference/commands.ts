import type { Command } from 'commander';
import { code, page, table } from './markdown.ts';
import { load } from './repository.ts';

/** Where each program's command line is built. */
const PROGRAMS = [
  { start: 'npm run -s producer --', file: 'apps/producer/src/commands/cli.ts' },
  { start: 'npm run -s consumer --', file: 'apps/consumer/src/commands/cli.ts' },
] as const;

const INTRODUCTION = `What \`--help\` says, in one place. Options of a program stand before or after the name of a command. Exit statuses and
what to expect of each command: [operating](../operating.md).`;

export async function commandsPage(): Promise<string> {
  const parts: string[] = [];
  for (const { start, file } of PROGRAMS) {
    const { buildProgram } = await load(file);
    if (typeof buildProgram !== 'function') throw new Error(`${file} exports no buildProgram.`);
    parts.push(...describeProgram(start, (buildProgram as () => Command)()));
  }
  return page('Commands', INTRODUCTION, ...parts);
}

/** A program's options, then each of its commands with usage, arguments and options. @internal */
export function describeProgram(start: string, program: Command): string[] {
  return [
    `## ${program.name()}`,
    `${sentence(program.description())} Started with ${code(`${start} …`)}`,
    ...options(program),
    ...commandsOf(program).flatMap((command) => section(command, program)),
  ];
}

/** The commands that do something, those of groups such as `dead-letters` included. */
function commandsOf(parent: Command): Command[] {
  return parent.commands
    .filter((command) => command.name() !== 'help')
    .flatMap((command) => (command.commands.length > 0 ? commandsOf(command) : [command]));
}

function section(command: Command, program: Command): string[] {
  const path = [command.name()];
  for (let { parent } = command; parent && parent !== program; { parent } = parent) path.unshift(parent.name());
  const usage = [program.name(), ...path, command.usage()].join(' ');
  const given = command.registeredArguments
    .filter(({ description }) => description !== '')
    .map((argument) => [code(argument.name()), argument.description]);
  const takes = given.length > 0 ? [table(['argument', 'meaning'], given)] : [];
  return [
    `### ${[program.name(), ...path].join(' ')}`,
    sentence(command.description()),
    code(usage),
    ...takes,
    ...options(command),
  ];
}

function options(command: Command): string[] {
  const shown = command.options.filter((option) => !option.hidden);
  if (shown.length === 0) return [];
  const rows = shown.map(({ flags, description, defaultValue, defaultValueDescription, mandatory, argChoices }) => {
    const initial = defaultValueDescription ?? (defaultValue === undefined ? undefined : String(defaultValue));
    const choices = argChoices?.map((choice) => code(choice)).join(', ');
    const notes = [
      choices,
      mandatory ? 'required' : undefined,
      initial === undefined ? undefined : `default ${initial}`,
    ];
    const note = notes.filter((one) => one !== undefined).join(', ');
    return [code(flags), note === '' ? description : `${description} (${note})`];
  });
  return [table(['option', 'meaning'], rows)];
}

function sentence(text: string): string {
  return text === '' ? '' : `${text[0]!.toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;
}
