import { reshaped, type RoutePlan, type Shaped } from '@genesys-kafka/routing';
import { parseRecord } from '@genesys-kafka/topics';
import type { PickedRecord } from '../group/settle.ts';

/**
 * What a route with `reshape` delivers of a record; made anew with each delivery, as what lies on the topics is the
 * record itself. The parsed record lives in here and nowhere else: see `parseRecord`.
 */
export function shapeOf(
  plan: Pick<RoutePlan, 'reshape'>,
  { record, value }: PickedRecord,
): Shaped | { readonly failed: string } | undefined {
  const read = parseRecord(value);
  if (read.kind === 'unreadable') return { failed: read.reason };
  return reshaped(plan, read.parsed, value.body.toString('utf8'), record.headers);
}
