import type {
  DeadLetterDetails,
  DeadLetterList,
  DeadLetterStats,
  PurgeReport,
  ReplayReport,
} from '@genesys-kafka/dead-letters';
import type { ExportReport } from './dead-letters/letters.ts';
import type { RunReport } from './run.ts';

// Reports for people; scripts ask for --json. Whoever prints these lines makes them safe for a terminal.

export function runLines({ routes, seconds }: RunReport): string[] {
  const lines = Object.entries(routes).map(([route, { delivered, retried, deadLettered, dropped, skipped }]) => {
    const drops = dropped > 0 ? `, ${dropped} dropped` : '';
    return `${route}: ${delivered} delivered, ${retried} retried, ${letterCount(deadLettered)}${drops}, ${skipped} of others`;
  });
  return [...lines, `${seconds.toFixed(1)} s`];
}

export function letterListLines({ letters, more }: DeadLetterList): string[] {
  const lines = letters.map(({ id, timestamp, stage, cause, reason, replayedAt }) => {
    const replayed = replayedAt === undefined ? '' : ` (replayed ${replayedAt})`;
    return `${id}  ${timestamp}  ${stage} ${cause}: ${reason}${replayed}`;
  });
  if (more) return [...lines, 'There are more: raise --limit, or choose (see --help).'];
  return lines.length === 0 ? ['No dead letters.'] : lines;
}

export function letterLines({ headers, value, ...letter }: DeadLetterDetails): string[] {
  const body = value === null ? '(no value)' : 'text' in value ? value.text : `base64: ${value.base64}`;
  return [
    ...JSON.stringify(letter, undefined, 2).split('\n'),
    ...Object.entries(headers).map(([name, text]) => `${name}: ${text}`),
    '',
    ...body.split('\n'),
  ];
}

export function statsLines({ letters, replayed, unreadable, actions, ...tables }: DeadLetterStats): string[] {
  return [
    `${letterCount(letters)}, ${replayed} of them replayed; ${unreadable} records of other programs`,
    ...Object.entries(tables).flatMap(([name, table]) =>
      Object.entries(table).map(([value, count]) => `  ${name.slice(2).toLowerCase()} ${value}: ${count}`),
    ),
    ...actions.map(({ at, action, state, by, filter, counts }) => {
      const which = Object.entries(filter).map(([name, value]) => ` --${name} ${value}`);
      const told = Object.entries(counts ?? {}).map(
        ([name, count]) => `${count} ${name.replaceAll(/[A-Z]/g, ' $&').toLowerCase()}`,
      );
      const how = state === 'failed' && told.length > 0 ? `${state} after ` : '';
      return `  ${at} ${action}${which.join('')} by ${by}: ${told.length > 0 ? how + told.join(', ') : state}`;
    }),
  ];
}

export function replayLines(report: ReplayReport): string[] {
  const { replayed, alreadyReplayed, otherConnectors, refused, unreadable, more, dryRun } = report;
  return [
    `${replayed} ${dryRun ? 'would be replayed' : 'replayed'}, ${alreadyReplayed} were before`,
    ...Object.entries(refused).map(([why, count]) => `  ${count} left: ${why}`),
    ...(otherConnectors > 0 ? [`  ${otherConnectors} left: of other connectors`] : []),
    ...(unreadable > 0 ? [`  ${unreadable} left: records of other programs`] : []),
    ...(more ? ['  More are left by --max: the same command again goes on.'] : []),
  ];
}

export function purgeLines({ purged, marked, deleted, dryRun }: PurgeReport): string[] {
  return [
    `${purged} ${dryRun ? 'would be taken away' : 'taken away'}`,
    `  ${deleted} deleted from object storage; ${marked} on the topic, shown no more, whose bytes stay until its retention`,
    ...(dryRun && purged > 0 ? ['  Nothing was done: give --yes to do it.'] : []),
  ];
}

export function exportLines({ exported, unreadable, file }: ExportReport): string[] {
  const others = unreadable > 0 ? `; ${unreadable} of other programs left out` : '';
  return [`${letterCount(exported)} written to ${file ?? 'stdout'}${others}`];
}

function letterCount(count: number): string {
  return `${count} dead letter${count === 1 ? '' : 's'}`;
}
