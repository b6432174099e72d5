import { OperationalError } from '@genesys-kafka/resilience';
import { planRoutes } from '@genesys-kafka/routing';
import type { Logger } from '@genesys-kafka/runtime';
import { checkTopic } from '@genesys-kafka/topics';
import { connectKafka, connectRegistry } from '../connect.ts';
import { consumerSpecs } from '../forward/topics.ts';
import { openSinks } from '../route/open-sinks.ts';
import type { Settings } from '../settings.ts';

export interface CheckResult {
  /** `brokers`, `topic <name>`, `registry`, `sink <name>`. */
  readonly what: string;
  readonly ok: boolean;
  /** What was found, or what is wrong and what to do. */
  readonly detail: string;
}

/** Tries every connection that the configuration needs, changing nothing. Rules that do not compile throw at once. */
export async function checkConsumer(settings: Settings, log: Logger, signal: AbortSignal): Promise<CheckResult[]> {
  planRoutes(settings);
  await using closing = new AsyncDisposableStack();
  const sinks = closing.use(openSinks(settings));
  const client = closing.adopt(connectKafka(settings, log), async (one) => one.close());
  const results: CheckResult[] = [];
  const attempt = async (what: string, call: () => Promise<string>): Promise<boolean> => {
    signal.throwIfAborted();
    try {
      results.push({ what, ok: true, detail: await call() });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof OperationalError)) throw error;
      results.push({ what, ok: false, detail: error.message });
      return false;
    }
  };
  const reachable = await attempt('brokers', async () => {
    const brokers = await client.admin.brokers();
    return `${brokers.length} answered`;
  });
  const { main, retries, deadLetters } = consumerSpecs(settings);
  for (const spec of reachable ? [main, ...retries, deadLetters] : []) {
    await attempt(`topic ${spec.name}`, async () => {
      const found = await client.admin.describeTopic(spec.name);
      if (found === undefined) return 'missing; consumer run creates it';
      const problems = checkTopic(spec, found);
      if (problems.length > 0) throw new OperationalError('topic-unfit', problems.join(' '));
      return `${found.partitions} partitions`;
    });
  }
  const registry = connectRegistry(settings);
  if (registry) {
    await attempt('registry', async () => {
      await registry.check();
      return 'answers';
    });
  }
  for (const [name, { sink }] of sinks.byName) {
    await attempt(`sink ${name}`, async () => {
      await sink.check(signal);
      return 'reachable';
    });
  }
  return results;
}
