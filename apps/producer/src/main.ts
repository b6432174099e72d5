import { enableCompileCache } from 'node:module';

// Before anything else is loaded: the second start takes half the time of the first.
enableCompileCache();
const { runMain } = await import('@genesys-kafka/runtime');
const { runCommand } = await import('./cli.ts');

await runMain(({ signal }) => runCommand(process.argv, signal));
