import { runMain } from '@genesys-kafka/runtime';
import { runCommand } from './cli.ts';

await runMain(({ signal }) => runCommand(process.argv, signal));
