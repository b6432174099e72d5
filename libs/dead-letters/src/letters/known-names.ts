import { printableText } from '@genesys-kafka/topics';
import { DeadLetterError } from '../errors.ts';
import { routeName } from './letter-filter.ts';
import type { Letters } from './letters.ts';
import type { LetterFilter } from './stored-dead-letter.ts';

/** A cause that may come at any time, whether it has or not. */
const POSSIBLE_CAUSE = /^http-[1-5]\d\d$/;

/**
 * To be asked where a filter has found nothing: is there such a route, such a cause at all? Rejects with
 * `filter-name-unknown`, which says what there is. `routes`: those of the configuration, and the implicit ones.
 */
export async function assertNamesKnown(
  letters: Letters,
  { route, cause }: LetterFilter,
  routes: readonly string[],
): Promise<void> {
  const isKnown = { route: route === undefined || routes.includes(route), cause: cause === undefined };
  if (cause !== undefined && POSSIBLE_CAUSE.test(cause)) isKnown.cause = true;
  if (isKnown.route && isKnown.cause) return;
  const found = { route: new Set(routes), cause: new Set<string>() };
  for await (const { deadLetter } of letters.walk()) {
    found.route.add(routeName(deadLetter));
    found.cause.add(deadLetter.cause);
  }
  if (route !== undefined && !found.route.has(route)) throw unknown('route', route, found.route);
  if (cause !== undefined && !isKnown.cause && found.cause.size > 0 && !found.cause.has(cause))
    throw unknown('cause', cause, found.cause);
}

function unknown(what: 'route' | 'cause', name: string, found: ReadonlySet<string>): DeadLetterError {
  const names = [...found].sort().map((one) => printableText(one, 100));
  const text = `No dead letter is of ${what} "${printableText(name, 100)}". There are: ${names.join(', ')}.`;
  return new DeadLetterError('filter-name-unknown', text);
}
