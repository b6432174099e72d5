import type { TopicSpec } from '@genesys-kafka/topics';
import { KafkaError } from './errors.ts';
import type { KafkaAdmin, KafkaClient } from './port.ts';

type RightsAdmin = Pick<KafkaAdmin, 'describeTopic' | 'tryCreate' | 'topicRights' | 'mayTransact' | 'mayJoin'>;
type Right = 'read' | 'write';

export interface NeededRights {
  readonly topics: readonly { readonly spec: TopicSpec; readonly rights: readonly Right[] }[];
  readonly transactionalIds: readonly string[];
  readonly groups: readonly string[];
}

/** What could not be tried; empty where all is allowed. */
export type Untried = readonly string[];

/**
 * Tries rights one by one, as the login of the client, and leaves nothing behind. Rejects with `authorization-failed`,
 * which names all that are missing, or with what making a topic fails with otherwise.
 */
export async function checkRights(admin: RightsAdmin, needed: NeededRights): Promise<Untried> {
  const missing: string[] = [];
  const untried: string[] = [];
  for (const { spec, rights } of needed.topics) {
    const { name } = spec;
    const held = await admin.topicRights(name);
    if (held) {
      missing.push(...rights.filter((right) => !held[right]).map((right) => `${right} the topic ${name}`));
    } else {
      const isThere = (await admin.describeTopic(name)) !== undefined;
      if (!isThere && !(await mayCreate(admin, spec))) missing.push(`create the topic ${name}`);
      const when = isThere ? 'brokers before Kafka 2.8 do not tell' : 'it is still to be made';
      untried.push(`${rights.join(' and ')} the topic ${name} (${when})`);
    }
  }
  missing.push(
    ...(await refused(needed.transactionalIds, 'write as the transactional id', (id) => admin.mayTransact(id))),
  );
  missing.push(...(await refused(needed.groups, 'read in the group', (group) => admin.mayJoin(group))));
  if (missing.length > 0) throw new KafkaError('authorization-failed', `This login may not ${missing.join('; ')}.`);
  return untried;
}

/** The same as a line of `check`: a sentence, or a warning where not all could be tried. */
export async function checkLogin(
  { admin }: Pick<KafkaClient, 'admin'>,
  needed: NeededRights,
): Promise<string | { readonly status: 'warning'; readonly message: string }> {
  const untried = await checkRights(admin, needed);
  if (untried.length === 0) return 'all that is needed may be done';
  const message = `what could be tried may be done; not tried: ${untried.join('; ')}`;
  return { status: 'warning', message };
}

async function mayCreate(admin: RightsAdmin, spec: TopicSpec): Promise<boolean> {
  try {
    await admin.tryCreate([spec]);
    return true;
  } catch (error) {
    if (error instanceof KafkaError && error.code === 'authorization-failed') return false;
    throw error;
  }
}

async function refused(
  names: readonly string[],
  doing: string,
  may: (name: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const allowed = await Promise.all(names.map(async (name) => may(name)));
  const without = names.filter((_, index) => !allowed[index]);
  return without.length === 0 ? [] : [`${doing} ${without.join(', ')}`];
}
