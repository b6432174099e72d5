import { checkLetterPlace, connectLetterPlace } from '@genesys-kafka/dead-letters';
import { checkCluster, connectKafka } from '@genesys-kafka/kafka';
import { planRoutes } from '@genesys-kafka/routing';
import { runChecks, type Check, type Session } from '@genesys-kafka/runtime';
import { connectOptionalRegistry } from '@genesys-kafka/schema-registry';
import { consumerSpecs } from '../forward/topics.ts';
import { openSinks, type OpenSinks } from '../route/open-sinks.ts';
import type { Settings } from '../settings.ts';

/** `consumer check`: tries every connection that the configuration needs, changing nothing, and says what to fix. */
export async function checkCommand(session: Session<Settings>): Promise<number> {
  const { settings, log, signal } = session;
  await using closing = new AsyncDisposableStack();
  let sinks: OpenSinks | undefined;
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
    { name: 'kafka', run: () => checkKafka(session) },
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

async function checkKafka({ settings, log }: Session<Settings>): ReturnType<Check['run']> {
  const { main, retries, replays, deadLetters, controls } = consumerSpecs(settings);
  const client = connectKafka(settings, log);
  try {
    const letters = settings.deadLetters.topic ? [deadLetters] : [];
    return await checkCluster(client, [main, ...retries, replays, ...letters, controls]);
  } finally {
    await client.close();
  }
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
