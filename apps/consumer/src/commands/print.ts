import type { ReplayReport } from '@genesys-kafka/dead-letters';
import type { CheckResult } from './check.ts';
import type { LetterDetails, LetterList, LetterStats } from './dead-letters.ts';
import type { RunReport } from './run.ts';

/** Reports for people, on stdout. Scripts ask for --json. */
function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printRun({ routes, seconds }: RunReport): void {
  for (const [route, { delivered, retried, deadLettered, dropped, skipped }] of Object.entries(routes)) {
    const drops = dropped > 0 ? `, ${dropped} dropped` : '';
    line(
      `${route}: ${delivered} delivered, ${retried} retried, ${deadLettered} dead letters${drops}, ${skipped} of others`,
    );
  }
  line(`${seconds.toFixed(1)} s`);
}

export function printChecks({ checks }: { readonly checks: readonly CheckResult[] }): void {
  for (const { what, ok, detail } of checks) line(`${ok ? '✔' : '✖'} ${what}: ${detail}`);
}

export function printLetters({ letters, more }: LetterList): void {
  for (const { id, timestamp, stage, cause, reason, replayedAt } of letters) {
    const replayed = replayedAt === undefined ? '' : ` (replayed ${replayedAt})`;
    line(`${id}  ${timestamp}  ${stage} ${cause}: ${reason}${replayed}`);
  }
  if (more) line('There are more: raise --limit, or choose with --route and --stage.');
  else if (letters.length === 0) line('No dead letters.');
}

export function printLetter({ headers, value, ...letter }: LetterDetails): void {
  line(JSON.stringify(letter, undefined, 2));
  for (const [name, text] of Object.entries(headers)) line(`${name}: ${text}`);
  line('');
  if (value === null) line('(no value)');
  else line('text' in value ? value.text : `base64: ${value.base64}`);
}

export function printStats({ letters, replayed, unreadable, ...tables }: LetterStats): void {
  line(`${letters} dead letters, ${replayed} of them replayed; ${unreadable} records of other programs`);
  for (const [name, table] of Object.entries(tables)) {
    for (const [value, count] of Object.entries(table)) line(`  ${name.slice(2).toLowerCase()} ${value}: ${count}`);
  }
}

export function printReplay(report: ReplayReport): void {
  const { replayed, alreadyReplayed, otherConnectors, refused, unreadable, dryRun } = report;
  line(`${replayed} ${dryRun ? 'would be replayed' : 'replayed'}, ${alreadyReplayed} were before`);
  for (const [why, count] of Object.entries(refused)) line(`  ${count} left: ${why}`);
  if (otherConnectors > 0) line(`  ${otherConnectors} left: of other connectors`);
  if (unreadable > 0) line(`  ${unreadable} left: records of other programs`);
}
