import { parseDurationMs, settingOptions } from '@genesys-kafka/runtime/cli';
import { InvalidArgumentError, Option } from 'commander';
import type { FlowLimits } from '../group/flow.ts';
import type { GroupSettings } from '../group/route-group.ts';
import { SETTINGS, type Settings } from '../settings.ts';

const LAST_COMMIT_MS = 10_000;

/** What `consumer run` takes that is no setting, as the command line spells it. */
export interface RunFlags {
  readonly drain?: boolean;
  readonly acceptGap?: boolean;
  readonly acceptRules?: boolean;
}

/** The section `consumer`, and what is said of one run alone. */
export function runOptions(): Option[] {
  return [
    ...settingOptions(SETTINGS, 'consumer'),
    new Option('--drain', 'end when all topics of all routes, retries included, are worked off'),
    new Option('--accept-gap', 'go on where records were deleted before they were read, which otherwise stops the run'),
    new Option(
      '--accept-rules',
      'go on with changed rules where groups stand apart, or a batch of objects was under way; both otherwise stop the run',
    ),
  ];
}

export function groupSettings({ consumer }: Pick<Settings, 'consumer'>): GroupSettings {
  const { commitEveryMs, commitRecords, revokeGraceMs, stopGraceMs } = consumer;
  return { commitEveryMs, commitRecords, revokeGraceMs, stopGraceMs, lastCommitMs: LAST_COMMIT_MS };
}

export function flowLimits({ consumer }: Pick<Settings, 'consumer'>): FlowLimits {
  return { maxRecords: consumer.inFlightRecords, maxBytes: consumer.inFlightBytes };
}

/** A whole number from 1 to 100,000. */
export function count(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 100_000) throw new InvalidArgumentError('Write a whole number from 1 to 100000.');
  return value;
}

/** `50/s` as a number per second; a rate in whole records. */
export function rate(text: string): number {
  const match = /^(\d{1,6})\/s$/.exec(text);
  const value = Number(match?.[1] ?? 0);
  if (value < 1) throw new InvalidArgumentError('Write a rate in records per second, such as 50/s.');
  return value;
}

/** A line of text that is shown in a log. */
export function shortText(text: string): string {
  if (text.trim() === '' || text.length > 500) throw new InvalidArgumentError('Write 1 to 500 characters.');
  return text;
}

/** `30s`, as milliseconds. */
export function span(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 1) throw new InvalidArgumentError('Write a number and a unit, such as 30s.');
  return ms;
}
