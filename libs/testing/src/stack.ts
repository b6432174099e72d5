import { TestingError } from './errors.ts';
import { hostedStack, HostFailure } from './host/hosted-stack.ts';
import { PROVIDERS, type Provider, type Stack, type StackOptions } from './provider.ts';
import { environmentStack } from './providers/environment.ts';

const NEEDS: Record<Provider, string> = {
  environment: 'KAFKA_BROKERS and SCHEMA_REGISTRY_URL, addresses of servers that answer',
  container: 'a container runtime (Docker or a compatible one) that can pull or already has the images',
  process: 'Java 17 or newer, and for the first run Maven (mvn) with access to Maven Central',
};

/**
 * Starts real servers by the first provider that works: addresses in the environment (KAFKA_BROKERS,
 * SCHEMA_REGISTRY_URL), containers, plain processes. GENESYS_KAFKA_STACK=environment|container|process allows only that
 * one; GENESYS_KAFKA_KAFKA_IMAGE and GENESYS_KAFKA_REGISTRY_IMAGE name other images.
 * Rejects with `stack-unavailable`, which says what each provider needs and why it failed, with `stack-setting` when
 * addresses are set and nothing answers there, or with the signal's reason.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { signal } = options;
  const reports: string[] = [];
  for (const provider of chosenProviders()) {
    signal?.throwIfAborted();
    try {
      return await startBy(provider, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isUnavailable(error)) throw error;
      reports.push(`  ${provider}: ${error.message}\n    needs: ${NEEDS[provider]}${logsOf(error)}`);
      options.onProgress?.(`not by ${provider}: ${error.message}`);
    }
  }
  throw new TestingError(
    'stack-unavailable',
    `No Kafka and schema registry could be started.\n${reports.join('\n')}\n`,
  );
}

function chosenProviders(): readonly Provider[] {
  const chosen = process.env.GENESYS_KAFKA_STACK;
  if (chosen === undefined || chosen === '') return PROVIDERS;
  const provider = PROVIDERS.find((candidate) => candidate === chosen);
  if (provider === undefined) {
    throw new TestingError(
      'stack-setting',
      `GENESYS_KAFKA_STACK is "${chosen}": it must be one of ${PROVIDERS.join(', ')}.`,
    );
  }
  return [provider];
}

async function startBy(provider: Provider, options: StackOptions): Promise<Stack> {
  const plain =
    (options.brokers ?? 1) === 1 &&
    !options.slowBroker &&
    !options.proxied &&
    !options.listeners &&
    !options.properties &&
    !options.scramUsers;
  if (provider !== 'process' && !plain) {
    throw new TestingError(
      'provider-unavailable',
      'Three brokers, and brokers behind a proxy or with properties of their own, are plain processes only.',
    );
  }
  return provider === 'environment' ? environmentStack(options) : hostedStack(provider, options);
}

function isUnavailable(error: unknown): error is Error {
  return error instanceof HostFailure || (error instanceof TestingError && error.code === 'provider-unavailable');
}

function logsOf(error: Error): string {
  return error instanceof HostFailure && error.logs !== undefined ? `\n    logs: ${error.logs}` : '';
}
