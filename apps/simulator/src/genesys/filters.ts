import type { Conversations, Lifetime } from '../conversations/conversations.ts';
import { z } from 'zod';
import { ApiError } from './error-body.ts';

export type Accepts = (lifetime: Lifetime, index: number) => boolean;

const PREDICATE = z.object({
  type: z.literal('dimension').optional(),
  dimension: z.string(),
  operator: z.enum(['matches', 'exists', 'notExists']).default('matches'),
  value: z.string().optional(),
});
const CLAUSE = z.object({
  type: z.enum(['and', 'or']).default('and'),
  predicates: z.array(PREDICATE).default([]),
});
/** A filter of the platform: two levels, `and` or `or` at each. */
export const FILTER = CLAUSE.extend({ clauses: z.array(CLAUSE).default([]) });

type Predicate = z.output<typeof PREDICATE>;
type Filter = z.output<typeof FILTER>;

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
    ? (lifetime, index) => parts.every((part) => part(lifetime, index))
    : (lifetime, index) => parts.some((part) => part(lifetime, index));
}

function compilePredicate({ dimension, operator, value }: Predicate, conversations: Conversations): Accepts {
  const valuesOf = reader(dimension, conversations);
  switch (operator) {
    case 'exists':
      return (lifetime, index) => valuesOf(lifetime, index).some((found) => found !== undefined);
    case 'notExists':
      return (lifetime, index) => valuesOf(lifetime, index).every((found) => found === undefined);
    case 'matches':
      return (lifetime, index) => valuesOf(lifetime, index).includes(value);
  }
}

type Reader = (lifetime: Lifetime, index: number) => readonly (string | undefined)[];

function reader(dimension: string, conversations: Conversations): Reader {
  switch (dimension) {
    case 'conversationId':
      return (_lifetime, index) => [conversations.id(index)];
    case 'conversationStart':
      return ({ startMs }) => [new Date(startMs).toISOString()];
    case 'conversationEnd':
      return ({ endMs }) => [endMs === undefined ? undefined : new Date(endMs).toISOString()];
    case 'originatingDirection':
      return (_lifetime, index) => [conversations.direction(index)];
    case 'mediaType':
      return (_lifetime, index) => conversations.mediaTypes(index);
    default:
      throw new ApiError(400, 'bad.request', `The simulator does not filter by [${dimension}].`);
  }
}
