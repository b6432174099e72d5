import { readValues, ValuesError } from '@genesys-kafka/record-parser/values';
import { picks, UNROUTED, type RoutePlan } from '@genesys-kafka/routing';
import { ConsumerError } from '../errors.ts';

export interface RuleTestResult {
  /** Position in the file, from 0. */
  readonly ordinal: number;
  readonly conversationId?: string;
  /** Routes that take the record; `unrouted` alone where none does. */
  readonly routes: readonly string[];
  /** Rules that fail on it, by route: there it becomes a dead letter. */
  readonly errors: Readonly<Record<string, string>>;
}

/**
 * Asks every rule about every record of a file, without Kafka: an array, an object with `conversations`, or records
 * one after the other, plain or gzip, of any size, as one record is held at a time. Rules see numbers as doubles.
 * Throws `test-file-unusable`, which says where, after the results of the records before the fault.
 */
export async function* testRules(
  file: string,
  plans: readonly RoutePlan[],
  signal?: AbortSignal,
): AsyncGenerator<RuleTestResult, void> {
  let tested = 0;
  try {
    for await (const { ordinal, value } of readValues(file, { signal })) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new ConsumerError('test-file-unusable', `${file} holds no JSON object as record ${ordinal}.`);
      }
      yield { ordinal, ...askAll(plans, value) };
      tested += 1;
    }
  } catch (error) {
    if (!(error instanceof ValuesError)) throw error;
    const remedy = `Records tested before it: ${tested}.`;
    throw new ConsumerError('test-file-unusable', `${file}: ${error.message}`, { remedy, cause: error.cause });
  }
}

function askAll(plans: readonly RoutePlan[], record: object): Omit<RuleTestResult, 'ordinal'> {
  const verdicts = plans.map((plan) => [plan.name, picks(plan, record, {})] as const);
  const routes = verdicts.flatMap(([name, verdict]) => ('matched' in verdict && verdict.matched ? [name] : []));
  const errors = verdicts.flatMap(([name, verdict]) => ('error' in verdict ? [[name, verdict.error] as const] : []));
  const { conversationId } = record as { conversationId?: unknown };
  return {
    ...(typeof conversationId === 'string' ? { conversationId } : {}),
    routes: routes.length === 0 && errors.length === 0 ? [UNROUTED] : routes,
    errors: Object.fromEntries(errors),
  };
}
