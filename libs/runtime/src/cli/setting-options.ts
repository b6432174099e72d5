import { type Command, Option } from 'commander';
import type { SettingsDefinition } from '../settings/definition.ts';
import type { GivenFlag } from '../settings/load-settings.ts';
import { settingsReference } from '../settings/reference.ts';

/** The setting that an option stands for, by its path. */
const PATHS = new WeakMap<Option, string>();

/** An option for each setting of a section: text and default come from there, and what is given is checked there. */
export function settingOptions(definition: SettingsDefinition, section: string): Option[] {
  return settingsReference(definition)
    .filter(({ path }) => path.startsWith(`${section}.`))
    .map(({ path, type, default: initial, description }) => {
      const name = path.slice(section.length + 1).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      const option = new Option(`--${name} <${type}>`, `${description} (default: ${initial})`);
      PATHS.set(option, path);
      return option;
    });
}

/** What a command line gives for the settings among its options. */
export function givenFlags(command: Command): Record<string, GivenFlag> {
  const given = command.options.flatMap((option) => {
    const path = PATHS.get(option);
    const text: unknown = command.getOptionValue(option.attributeName());
    return path !== undefined && typeof text === 'string' ? [[path, { flag: option.long!, text }] as const] : [];
  });
  return Object.fromEntries(given);
}
