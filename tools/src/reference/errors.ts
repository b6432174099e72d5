import { globSync } from 'node:fs';
import type { ErrorDescription, ErrorTable } from '@genesys-kafka/resilience';
import { code, page, table } from './markdown.ts';
import { load, packages, ROOT } from './repository.ts';

/** One code of the product and the package whose table it stands in. */
export interface KnownError extends ErrorDescription {
  readonly code: string;
  readonly package: string;
}

/** What an error ends, and the exit status that tells of it. */
const ENDS = { usage: 'the command (2)', run: 'the run (1)', source: 'one source (3)' } as const;

const INTRODUCTION = `Every failure that this program expects has a code. It stands in the message on stderr (\`error: <code>: …\`), in the
\`error\` of a source in a report, in the ledger and in the log. Scripts may rely on codes; a new meaning is a new code.

A message says what happened in this case and ends with the remedy. *Retried* means that the same call may succeed
later: most of these are tried again by the program itself before anybody sees them. *Ends* says what stops, with the
exit status: one source (the others go on), the run, or the command line. What is told as \`unexpected\` is a bug.

A dead letter has a cause of its own, which may be one of these codes: see
[dead letters](../operating.md#dead-letters).`;

/** All codes of all tables `…_ERRORS`, in the order of the alphabet. @internal */
export async function knownErrors(): Promise<KnownError[]> {
  const known: KnownError[] = [];
  for (const name of packages()) {
    for (const file of globSync(`${name}/src/{,*/}errors.ts`, { cwd: ROOT })) {
      for (const [exported, table] of Object.entries(await load(file))) {
        if (!exported.endsWith('_ERRORS')) continue;
        for (const [errorCode, row] of Object.entries(table as ErrorTable)) {
          known.push({ ...row, code: errorCode, package: name });
        }
      }
    }
  }
  return known.sort((a, b) => (a.code < b.code ? -1 : 1));
}

export async function errorsPage(): Promise<string> {
  const rows = (await knownErrors()).map((error) => [
    code(error.code),
    error.meaning,
    error.remedy,
    error.retry === true ? 'yes' : 'no',
    ENDS[error.scope ?? 'run'],
    code(error.package),
  ]);
  return page('Errors', INTRODUCTION, table(['code', 'meaning', 'what to do', 'retried', 'ends', 'from'], rows));
}
