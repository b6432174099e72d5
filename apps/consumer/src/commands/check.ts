import { checkLetterPlace, connectLetterPlace } from '@genesys-kafka/dead-letters';
import { checkCluster, checkLogin, connectKafka, type KafkaClient, type NeededRights } from '@genesys-kafka/kafka';
import { groupIdOf, planRoutes, UNROUTED } from '@genesys-kafka/routing';
import { runChecks, type Check, type Session } from '@genesys-kafka/runtime';
import { connectOptionalRegistry } from '@genesys-kafka/schema-registry';
import type { TopicSpec } from '@genesys-kafka/topics';
import { consumerSpecs } from '../forward/topics.ts';
import { openSinks, type OpenSinks } from '../route/open-sinks.ts';
import type { Settings } from '../settings.ts';

/** `consumer check`: tries every connection that the configuration needs, changing nothing, and says what to fix. */
export async function checkCommand(session: Session<Settings>): Promise<number> {
  const { settings, log, signal } = session;
  await using closing = new AsyncDisposableStack();
  let sinks: OpenSinks | undefined;
  let brokersAnswer = false;
  const names = new Set(settings.routes.map(({ sink }) => sink));
  return await runChecks(session, [
    {
      name: 'settings',
      run: async () => {
        const routes = planRoutes(settings).length;
        sinks = closing.use(openSinks(settings, log));
        if (routes === 0) return { status: 'warning', message: 'no routes: `run` would have nothing to do' };
        return `${routes} route${routes === 1 ? '' : 's'}`;
      },
    },
    {
      name: 'kafka',
      run: () =>
        withKafka(session, async (client) => {
          await client.admin.brokers();
          brokersAnswer = true;
          return checkCluster(client, topicsOf(settings));
        }),
    },
    {
      name: 'rights',
      run: async () =>
        brokersAnswer
          ? withKafka(session, async (client) => checkLogin(client, neededRights(settings)))
          : { status: 'skipped', message: 'the brokers come first' },
    },
    { name: 'registry', run: () => checkRegistry(settings) },
    { name: 'dead letters', run: () => checkDeadLetters(session) },
    ...Array.from(names, (name) => ({
      name: `sink ${name}`,
      run: async (): ReturnType<Check['run']> => {
        if (!sinks) return { status: 'skipped', message: 'the settings come first' };
        await sinks.byName.get(name)!.sink.check(signal);
        return 'reachable';
      },
    })),
  ]);
}

async function withKafka<T>(
  { settings, log }: Session<Settings>,
  work: (client: KafkaClient) => Promise<T>,
): Promise<T> {
  const client = connectKafka(settings, log);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** None for dead letters where they go to object storage alone. */
function topicsOf(settings: Settings): TopicSpec[] {
  const { main, retries, replays, deadLetters, controls } = consumerSpecs(settings);
  return [main, ...retries, replays, ...(settings.deadLetters.topic ? [deadLetters] : []), controls];
}

/** What `run` does at the brokers; a sink of type kafka tries its own. */
function neededRights(settings: Settings): NeededRights {
  const { main, replays, deadLetters } = consumerSpecs(settings);
  const rightsTo = ({ name }: TopicSpec) => {
    if (name === main.name || name === replays.name) return ['read'] as const;
    return name === deadLetters.name ? (['write'] as const) : (['read', 'write'] as const);
  };
  return {
    topics: topicsOf(settings).map((spec) => ({ spec, rights: rightsTo(spec) })),
    transactionalIds: [],
    groups: [...settings.routes.map(({ name }) => name), UNROUTED].map((route) => groupIdOf(settings, route)),
  };
}

async function checkRegistry(settings: Settings): ReturnType<Check['run']> {
  const registry = connectOptionalRegistry(settings);
  if (!registry) return { status: 'skipped', message: 'none is set: records of any schema id are taken' };
  await registry.check();
  return 'answers';
}

async function checkDeadLetters({ settings, signal }: Session<Settings>): ReturnType<Check['run']> {
  const { objects } = settings.deadLetters;
  if (!objects) return { status: 'skipped', message: 'they go to their topic alone' };
  await using place = await connectLetterPlace(objects, settings.proxy);
  return await checkLetterPlace(place, signal);
}
