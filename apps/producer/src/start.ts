import { runMain } from '@genesys-kafka/runtime';
import { runCommand } from './commands/cli.ts';

await runMain(({ signal }) => runCommand(process.argv, signal));
