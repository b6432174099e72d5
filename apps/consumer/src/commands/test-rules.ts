import { readFile } from 'node:fs/promises';
import { OperationalError } from '@genesys-kafka/resilience';
import { picks, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';

export interface RuleTestResult {
  /** Position in the file, from 0. */
  readonly ordinal: number;
  readonly conversationId?: string;
  /** Routes that take the record; `unrouted` alone where none does. */
  readonly routes: readonly string[];
  /** Rules that fail on it, by route: there it becomes a dead letter. */
  readonly errors: Readonly<Record<string, string>>;
}

/** A file of records that cannot be used. */
export class TestFileError extends OperationalError {
  constructor(file: string, problem: string) {
    super('test-file-unusable', `${file} ${problem}.`, { scope: 'usage' });
  }
}

/** Asks every rule about every record of a JSON or NDJSON file, without Kafka. Read whole: it is for samples. */
export async function testRules(file: string, plans: readonly RoutePlan[]): Promise<RuleTestResult[]> {
  return recordsOf(file, await read(file)).map((record, ordinal) => {
    const verdicts = plans.map((plan) => [plan.name, picks(plan, record, {})] as const);
    const routes = verdicts.flatMap(([name, verdict]) => ('matched' in verdict && verdict.matched ? [name] : []));
    const errors = verdicts.flatMap(([name, verdict]) => ('error' in verdict ? [[name, verdict.error] as const] : []));
    const { conversationId } = record as { conversationId?: unknown };
    return {
      ordinal,
      ...(typeof conversationId === 'string' ? { conversationId } : {}),
      routes: routes.length === 0 && errors.length === 0 ? [UNROUTED] : routes,
      errors: Object.fromEntries(errors),
    };
  });
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new TestFileError(file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
  }
}

/** A top-level array, an object with `conversations`, one object, or one object a line. */
function recordsOf(file: string, text: string): readonly object[] {
  const whole = parse(text);
  const records =
    whole === undefined
      ? text
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map((line) => parse(line))
      : Array.isArray(whole)
        ? (whole as unknown[])
        : conversationsOf(whole);
  const bad = records.findIndex((record) => typeof record !== 'object' || record === null || Array.isArray(record));
  if (bad >= 0)
    throw new TestFileError(file, `holds no JSON object as record ${bad}; write an array of objects, or one a line`);
  return records as object[];
}

function conversationsOf(whole: unknown): readonly unknown[] {
  const conversations = (whole as { conversations?: unknown } | null)?.conversations;
  return Array.isArray(conversations) ? (conversations as unknown[]) : [whole];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
