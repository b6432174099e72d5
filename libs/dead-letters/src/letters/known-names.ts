import { printableText } from '@genesys-kafka/topics';
import { DeadLetterError } from '../errors.ts';
import { routeName } from './letter-filter.ts';
import type { Letters } from './letters.ts';
import type { LetterFilter } from './stored-dead-letter.ts';

/**
 * What a record may die of at any time, whether one has or not: the causes that docs/operating.md lists. A sink of
 * somebody's own has others, which are known once a dead letter has them.
 * @internal
 */
export const CAUSES: ReadonlySet<string> = new Set(
  [
    'invalid-utf8 invalid-json not-an-object duplicate-key',
    'schema-violation record-too-costly record-too-large',
    'frame-missing frame-too-short frame-wrong-magic unknown-schema-id schema-type-unsupported json-invalid header-invalid',
    'rule-error unrouted reshape-error route-removed',
    'expression-error html-answer item-missing items-missing item-unreadable key-missing message-too-large retry-refused',
    'timeout connection-refused connection-reset dns-failure host-unreachable transport-error proxy-failed not-http',
    'disk-full io-error too-many-open-files file-deleted',
  ].flatMap((line) => line.split(' ')),
);
/** A status of HTTP, a SQLSTATE. */
const CODES = /^(?:http-[1-5]\d\d|postgres-[0-9A-Z]{5})$/;

/**
 * To be asked where a filter has found nothing: is there such a route, such a cause at all? Rejects with
 * `filter-name-unknown`, which says what there is, whatever else lies in the stores. `routes`: those of the
 * configuration, and the implicit ones.
 */
export async function assertNamesKnown(
  letters: Letters,
  { route, cause }: LetterFilter,
  routes: readonly string[],
): Promise<void> {
  const isKnown = {
    route: route === undefined || routes.includes(route),
    cause: cause === undefined || CAUSES.has(cause) || CODES.test(cause),
  };
  if (isKnown.route && isKnown.cause) return;
  const found = { route: new Set(routes), cause: new Set<string>() };
  for await (const { deadLetter } of letters.walk()) {
    found.route.add(routeName(deadLetter));
    found.cause.add(deadLetter.cause);
  }
  if (route !== undefined && !found.route.has(route)) throw unknown('route', route, found.route);
  if (cause !== undefined && !isKnown.cause && !found.cause.has(cause)) throw unknown('cause', cause, found.cause);
}

function unknown(what: 'route' | 'cause', name: string, found: ReadonlySet<string>): DeadLetterError {
  const names = [...found].sort().map((one) => printableText(one, 100));
  const there = names.length === 0 ? 'There is none at all' : `There are: ${names.join(', ')}`;
  const text = `No dead letter is of ${what} "${printableText(name, 100)}". ${there}.`;
  return new DeadLetterError('filter-name-unknown', text);
}
