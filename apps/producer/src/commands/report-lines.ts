import { redactText } from '@genesys-kafka/runtime';
import type { RecordCounts } from '@genesys-kafka/ledger';
import type { Report } from '../export/report.ts';

/** The report of `export` and `publish` for people. */
export function reportLines(report: Report): string[] {
  const { records, sources } = report;
  const mib = report.bytes / 1024 / 1024;
  const lines = [
    `export ${report.exportId}: ${plural(report.windows, 'window')} in ${report.seconds.toFixed(1)} s`,
    `  ${sumLine(records)} · ${mib.toFixed(1)} MiB`,
  ];
  for (const { source, status, records: count, error } of sources) {
    lines.push(`  ${status.padEnd(8)} ${redactText(source)}  ${plural(count, 'record')}`);
    if (error) lines.push(`           ${error.code}: ${redactText(error.message)}`);
  }
  if (records.invalid > 0)
    lines.push(`  ${plural(records.invalid, 'record')} on the dead-letter topic, with the reasons.`);
  return lines;
}

export function sumLine({ read, published, invalid, unchanged, stale }: RecordCounts): string {
  const older = stale === undefined ? '' : ` + stale ${stale}`;
  return `read ${read} = published ${published} + invalid ${invalid} + unchanged ${unchanged}${older}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
