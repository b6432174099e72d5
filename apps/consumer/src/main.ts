import { runMain, runProgram } from '@genesys-kafka/runtime/cli';
import { buildProgram } from './commands/cli.ts';
import { readSettings } from './config.ts';
import { SETTINGS } from './settings.ts';

await runMain((context) =>
  runProgram(buildProgram, { argv: process.argv, context, definition: SETTINGS, readSettings }),
);
