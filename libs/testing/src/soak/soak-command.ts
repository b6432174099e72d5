import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What is wrong with a soak's command line. */
export class UsageError extends Error {}

/** What every soak takes: what happens when follows from `seed`; logs go to `dir`. */
export interface CommonOptions {
  readonly seed: number;
  readonly dir: string | undefined;
}

/** The values of a soak's options, as they were given or by default. */
export interface GivenOptions extends CommonOptions {
  readonly text: (name: string) => string;
  /** Raises UsageError where it is no whole number of that range. */
  readonly whole: (name: string, least: number, most: number) => number;
}

/** Undefined where help is asked for. `defaults`: of the options besides the common ones. Raises UsageError. */
export function parseSoakOptions(
  args: readonly string[],
  defaults: Readonly<Record<string, string>>,
): GivenOptions | undefined {
  const { help, dir, ...values } = parsed(args, defaults);
  if (help === true) return undefined;
  const text = (name: string) => String(values[name]);
  const whole = (name: string, least: number, most: number) => {
    const number = Number(values[name]);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new UsageError(`--${name} is ${text(name)}; write a whole number, ${least} to ${most}.`);
  };
  return { text, whole, seed: whole('seed', 0, 0x7fff_ffff), dir: dir as string | undefined };
}

function parsed(args: readonly string[], defaults: Readonly<Record<string, string>>) {
  const own = Object.entries({ ...defaults, seed: String(randomInt(0x7fff_ffff)) });
  try {
    const values: Readonly<Record<string, string | boolean | undefined>> = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(own.map(([name, value]) => [name, { type: 'string' as const, default: value }])),
        dir: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

export interface SoakCommand<O extends CommonOptions> {
  readonly help: string;
  readonly parse: (args: readonly string[]) => O | undefined;
  /** Resolves with whether all is well. */
  readonly soak: (options: O, dir: string) => Promise<boolean>;
  readonly say: (text: string) => void;
}

/** Runs a soak as its command line says; resolves with the exit status. The logs stay where not all is well. */
export async function runSoak<O extends CommonOptions>(
  args: readonly string[],
  { help, parse, soak, say }: SoakCommand<O>,
): Promise<number> {
  let options: O | undefined;
  try {
    options = parse(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(error.message);
    return 2;
  }
  if (!options) {
    process.stdout.write(help);
    return 0;
  }
  say(`seed ${options.seed} (--seed)`);
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'soak-')));
  await mkdir(dir, { recursive: true });
  const isWell = await soak(options, dir);
  if (isWell && options.dir === undefined) await rm(dir, { recursive: true });
  else say(`The logs are in ${dir}.`);
  return isWell ? 0 : 1;
}
