import type { GroupCommit, KafkaAdmin, KafkaClient, TopicPartition } from '@genesys-kafka/kafka';
import { groupIdOf, rulesFingerprint, UNROUTED, type RoutingSettings } from '@genesys-kafka/routing';
import { ConsumerError } from '../errors.ts';

export interface RulesInForce {
  readonly client: Pick<KafkaClient, 'read'> & { readonly admin: Pick<KafkaAdmin, 'offsets' | 'groupCommits'> };
  readonly settings: RoutingSettings;
  /** The main topic first, then the retry topics. */
  readonly topics: readonly string[];
  readonly signal: AbortSignal;
}

/** A broker keeps 4096 bytes beside an offset, by default. */
const MOST_NOTE_CHARS = 2000;
const NOTE = /^(?:topic=\S+ )?(?:batch=\S+ )?(?:target=\S+ )?rules=([0-9a-f]+)(?: routes=(.*))?$/;

/** What is kept with each committed offset: by which rules it was reached, and the names of the routes where they fit. */
export function rulesNote(settings: Pick<RoutingSettings, 'routes'>): string {
  const rules = `rules=${rulesFingerprint(settings)}`;
  const note = `${rules} routes=${namesIn(settings).join(',')}`;
  return note.length > MOST_NOTE_CHARS ? rules : note;
}

/** Where the routes of the configuration stand in the main topic: those that have committed anything. */
export async function placesInForce(inForce: RulesInForce): Promise<readonly Place[]> {
  return placesOf([...namesIn(inForce.settings), UNROUTED], inForce.topics[0]!, inForce);
}

/**
 * Where a change of the rules would lose records. Groups pass records at their own pace, each by the rules of its time:
 * a record that is given from one route to another, between the place of the one that is behind and the place of the one
 * that is ahead, would be taken by neither. A change is sound in a partition where no record lies between the groups;
 * elsewhere this resolves with the error `rules-changed`. Offsets without a note, of earlier versions, are taken as
 * they are. A route that was only added takes nothing from the others, and begins by itself.
 */
export async function findRulesApart(
  inForce: RulesInForce,
  places: readonly Place[],
): Promise<ConsumerError | undefined> {
  const { client, settings, topics } = inForce;
  const [main, ...retries] = topics as [string, ...string[]];
  const ageOf = rulesAge(settings);
  const gone = removedRoutes(places, ageOf, [...namesIn(settings), UNROUTED]);
  if (!places.some(({ commits }) => [...commits.values()].some(({ note }) => ageOf(note) === 'older')))
    return undefined;
  for (const { partition, first } of await client.admin.offsets(main)) {
    const here = [...places, ...(await placesOf(gone.get(partition) ?? [], main, inForce))];
    const apart = await standApart({ topic: main, partition }, first, here, ageOf, inForce);
    if (apart) return apart;
  }
  // On a retry topic a record has its route's name: only what is left of a route that is no more can be missed there.
  const removed = [...new Set([...gone.values()].flat())];
  if (removed.length === 0) return undefined;
  for (const topic of retries) {
    const here = await placesOf([...removed, UNROUTED], topic, inForce);
    for (const { partition, first } of await client.admin.offsets(topic)) {
      const apart = await standApart({ topic, partition }, first, here, ageOf, inForce);
      if (apart) return apart;
    }
  }
  return undefined;
}

/**
 * Routes that are new beyond doubt: they have no offset, and of those that have one none was committed while they were
 * in the configuration. Where no offset says so, a route may as well be one whose offsets have expired.
 */
export function newRoutes(settings: Pick<RoutingSettings, 'routes'>, places: readonly Place[]): ReadonlySet<string> {
  const lists = places.flatMap(({ commits }) => [...commits.values()].map(({ note }) => NOTE.exec(note)?.[2]));
  if (lists.length === 0 || lists.includes(undefined)) return new Set();
  const known = new Set([...places.map(({ route }) => route), ...lists.flatMap((list) => list!.split(','))]);
  return new Set(namesIn(settings).filter((name) => !known.has(name)));
}

function namesIn({ routes }: Pick<RoutingSettings, 'routes'>): string[] {
  return routes.map(({ name }) => name);
}

interface Place {
  readonly route: string;
  readonly commits: ReadonlyMap<number, GroupCommit>;
}

/** Of the groups that have committed anything; another one is new. */
async function placesOf(
  routes: readonly string[],
  topic: string,
  { client, settings }: RulesInForce,
): Promise<readonly Place[]> {
  const places = await Promise.all(
    routes.map(async (route) => ({
      route,
      commits: await client.admin.groupCommits(groupIdOf(settings, route), topic),
    })),
  );
  return places.filter(({ commits }) => [...commits.values()].some(({ offset }) => offset >= 0n));
}

/** By what rules an offset was reached: those of now, as far as its routes go, or others; a note may tell of none. */
type RulesAge = (note: string) => 'now' | 'older' | 'untold';

function rulesAge({ routes }: Pick<RoutingSettings, 'routes'>): RulesAge {
  const now = rulesFingerprint({ routes });
  const known = new Map<string, 'now' | 'older'>();
  return (note) => {
    const [, rules, list] = NOTE.exec(note) ?? [];
    if (rules === undefined) return 'untold';
    const key = `${rules} ${list ?? ''}`;
    const age = known.get(key) ?? (rules === now || isOfFewer(routes, rules, list) ? 'now' : 'older');
    known.set(key, age);
    return age;
  };
}

/** Whether these were the rules of then, and others have come since. */
function isOfFewer(routes: RoutingSettings['routes'], rules: string, list: string | undefined): boolean {
  const names = new Set(list?.split(','));
  const then = routes.filter(({ name }) => names.has(name));
  return then.length === names.size && rulesFingerprint({ routes: then }) === rules;
}

/** Routes that other rules had and these have not, by partition of the main topic. */
function removedRoutes(places: readonly Place[], ageOf: RulesAge, names: readonly string[]): Map<number, string[]> {
  const removed = new Map<number, string[]>();
  for (const [partition, { note }] of places.flatMap(({ commits }) => [...commits])) {
    const earlier = ageOf(note) === 'older' ? (NOTE.exec(note)?.[2]?.split(',') ?? []) : [];
    const gone = earlier.filter((name) => name !== '' && !names.includes(name));
    if (gone.length > 0) removed.set(partition, [...new Set([...(removed.get(partition) ?? []), ...gone])]);
  }
  return removed;
}

/**
 * A place by today's rules that is not behind came about after the others stood level, and those stand there still. One
 * that is behind is of a time before the rules were changed and changed back.
 */
async function standApart(
  target: TopicPartition,
  first: bigint,
  places: readonly Place[],
  ageOf: RulesAge,
  { client, signal }: RulesInForce,
): Promise<ConsumerError | undefined> {
  const standing = places.map(({ route, commits }) => ({ route, ...(commits.get(target.partition) ?? NOWHERE) }));
  if (!standing.some(({ note }) => ageOf(note) === 'older')) return undefined;
  const known = standing.map((place) => ({ ...place, offset: place.offset > first ? place.offset : first }));
  const earlier = known.filter(({ note }) => ageOf(note) !== 'now').sort(byOffset);
  const ahead = earlier.at(-1)!;
  const behind = [...earlier, ...known.filter(({ offset }) => offset < ahead.offset)].sort(byOffset)[0]!;
  if (behind.offset === ahead.offset) return undefined;
  if (!(await hasRecords(target, behind.offset, ahead.offset, { client, signal }))) return undefined;
  const what =
    `The routes were changed while the groups of ${behind.route} and ${ahead.route} stand apart in ${target.topic} ` +
    `partition ${target.partition}, at ${behind.offset} and ${ahead.offset}.`;
  return new ConsumerError('rules-changed', what, { details: { behind: behind.route, ahead: ahead.route, ...target } });
}

/** Offsets are taken by markers of transactions too: only a look tells whether a record lies there. */
async function hasRecords(
  target: TopicPartition,
  from: bigint,
  end: bigint,
  { client, signal }: Pick<RulesInForce, 'client' | 'signal'>,
): Promise<boolean> {
  for await (const { records, nextOffset } of client.read(target, { from, signal, maxWaitMs: 100 })) {
    if (records.some(({ offset }) => offset < end)) return true;
    if (nextOffset >= end) return false;
  }
  return false;
}

function byOffset(a: { readonly offset: bigint }, b: { readonly offset: bigint }): number {
  return a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0;
}

/** A group that has committed elsewhere, and nothing here yet: it begins at the start of the log. */
const NOWHERE: GroupCommit = { offset: 0n, note: '' };
