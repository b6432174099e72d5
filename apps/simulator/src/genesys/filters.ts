import type { Conversations } from '../conversations/conversations.ts';
import type { Kind, Plan } from '../conversations/plan.ts';
import { z } from 'zod';
import { ApiError } from './error-body.ts';

export type Accepts = (plan: Plan, index: number) => boolean;

const predicateSchema = z.object({
  type: z.literal('dimension').optional(),
  dimension: z.string(),
  operator: z.enum(['matches', 'exists', 'notExists']).default('matches'),
  value: z.string().optional(),
});
const clauseSchema = z.object({
  type: z.enum(['and', 'or']).default('and'),
  predicates: z.array(predicateSchema).default([]),
});
/** A filter of the platform: two levels, `and` or `or` at each. */
export const filterSchema = clauseSchema.extend({ clauses: z.array(clauseSchema).default([]) });

type Predicate = z.output<typeof predicateSchema>;
type Filter = z.output<typeof filterSchema>;

const MEDIA: Readonly<Record<Kind, string>> = { call: 'voice', message: 'message', chat: 'chat', email: 'email' };

/**
 * Compiles filters, all of which must hold. Those dimensions work that an exporter needs: conversationId,
 * conversationEnd, conversationStart, originatingDirection, mediaType.
 * @throws ApiError 400 for any other, rather than answering with rows that do not match.
 */
export function compileFilters(filters: readonly Filter[], conversations: Conversations): Accepts | undefined {
  if (filters.length === 0) return undefined;
  const compiled = filters.map((filter) => {
    const inner = [
      ...filter.predicates.map((predicate) => compilePredicate(predicate, conversations)),
      ...filter.clauses.map((clause) =>
        combine(
          clause.type,
          clause.predicates.map((predicate) => compilePredicate(predicate, conversations)),
        ),
      ),
    ];
    return combine(filter.type, inner);
  });
  return combine('and', compiled);
}

function combine(type: 'and' | 'or', parts: readonly Accepts[]): Accepts {
  if (parts.length === 0) return () => true;
  return type === 'and'
    ? (plan, index) => parts.every((part) => part(plan, index))
    : (plan, index) => parts.some((part) => part(plan, index));
}

function compilePredicate(predicate: Predicate, conversations: Conversations): Accepts {
  const valueOf = reader(predicate.dimension, conversations);
  switch (predicate.operator) {
    case 'exists':
      return (plan, index) => valueOf(plan, index) !== undefined;
    case 'notExists':
      return (plan, index) => valueOf(plan, index) === undefined;
    case 'matches':
      return (plan, index) => valueOf(plan, index) === predicate.value;
  }
}

function reader(dimension: string, conversations: Conversations): (plan: Plan, index: number) => string | undefined {
  switch (dimension) {
    case 'conversationId':
      return (_plan, index) => conversations.id(index);
    case 'conversationStart':
      return (plan) => new Date(plan.startMs).toISOString();
    case 'conversationEnd':
      return (plan) => (plan.endMs === undefined ? undefined : new Date(plan.endMs).toISOString());
    case 'originatingDirection':
      return () => 'inbound';
    case 'mediaType':
      return (plan) => MEDIA[plan.kind];
    default:
      throw new ApiError(400, 'bad.request', `The simulator does not filter by [${dimension}].`);
  }
}
