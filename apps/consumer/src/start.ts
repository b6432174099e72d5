import { runMain } from '@genesys-kafka/runtime';
import { isOneShot, runCommand } from './commands/cli.ts';

await runMain(async ({ signal }) => runCommand(process.argv, signal), { oneShot: isOneShot(process.argv.slice(2)) });
