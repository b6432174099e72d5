import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaContainer } from '@testcontainers/kafka';
import {
  GenericContainer,
  getContainerRuntimeClient,
  Network,
  Wait,
  type ContainerRuntimeClient,
  type StartedTestContainer,
} from 'testcontainers';
import { RungUnavailableError } from './errors.ts';
import type { HostConfig } from './host-protocol.ts';
import type { ProcessGroup } from './process-group.ts';
import type { HostedServers } from './process-rung.ts';
import { apicurioPath } from './registry-process.ts';

const defaultImages = {
  kafka: 'confluentinc/cp-kafka:8.1.0',
  registry: 'confluentinc/cp-schema-registry:8.1.0',
};

/** How long a runtime may take to say that it is there. */
const probeTimeoutMs = 5000;
const startTimeoutMs = 180_000;
const pullTimeoutMs = 15 * 60_000;
const kafkaPort = 9093;
const stackLabel = 'genesys-kafka.stack';

/**
 * Kafka and a schema registry in containers. Rejects with RungUnavailableError when no runtime answers or an image
 * cannot be had. The host ends the containers itself when its pipe closes, so Testcontainers' own reaper, one more
 * image to pull and a mount of the runtime's socket, is off unless TESTCONTAINERS_RYUK_DISABLED=false asks for it.
 */
export async function startContainers(
  config: HostConfig,
  _group: ProcessGroup,
  signal: AbortSignal,
  onProgress: (line: string) => void,
): Promise<HostedServers> {
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  const client = await probe();
  signal.throwIfAborted();
  const kafkaImage = process.env.GENESYS_KAFKA_KAFKA_IMAGE ?? defaultImages.kafka;
  const registryImage = process.env.GENESYS_KAFKA_REGISTRY_IMAGE ?? defaultImages.registry;
  onProgress(`starting ${kafkaImage}${config.registry ? ` and ${registryImage}` : ''} in containers`);
  // Before the network exists: an image name that cannot be used throws here.
  const kafka = kafkaContainer(kafkaImage).withNetworkAliases('kafka');
  const registry = registryContainer(registryImage);
  const network = await new Network().start();
  const start = async (container: GenericContainer, log: string) =>
    container
      .withNetwork(network)
      .withLabels({ [stackLabel]: config.dir })
      .withLogConsumer((lines) => lines.pipe(createWriteStream(join(config.dir, 'logs', log))))
      .start();
  const kafkaStart = start(kafka, 'kafka-1.log');
  const startRegistry = async () => {
    if (!config.registry) return undefined;
    // It gives up at once while the name "kafka" does not resolve.
    if (registry.needsKafka) await kafkaStart;
    return start(registry.container, 'registry.log');
  };
  const registryStart = startRegistry();
  const starts = Promise.all([kafkaStart, registryStart]);
  const close = async () => {
    await removeContainers(client, config.dir);
    await network.stop();
  };
  try {
    const [broker, schemas] = await unlessAborted(
      starts,
      AbortSignal.any([signal, AbortSignal.timeout(pullTimeoutMs)]),
    );
    const address = (container: StartedTestContainer | undefined, port: number) =>
      container ? `${container.getHost()}:${container.getMappedPort(port)}` : '';
    const registryAddress = address(schemas, registry.port);
    return {
      brokers: [address(broker, kafkaPort)],
      registryUrl: registryAddress && `http://${registryAddress}${registry.path}`,
      close,
    };
  } catch (error) {
    // Removing one makes the other's wait fail; a start that goes on regardless is swept by the second removal.
    await removeContainers(client, config.dir).catch(() => undefined);
    await Promise.race([Promise.allSettled([kafkaStart, registryStart]), delay(5000)]);
    await close().catch(() => undefined);
    throw new RungUnavailableError(`the containers did not start: ${(error as Error).message}`, error);
  }
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort);
  return Promise.race([promise, aborted.promise]).finally(() => signal.removeEventListener('abort', onAbort));
}

async function probe(): Promise<ContainerRuntimeClient> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timeout.reject(new RungUnavailableError(`the runtime did not answer in ${probeTimeoutMs / 1000} s`)),
    probeTimeoutMs,
  );
  try {
    return await Promise.race([getContainerRuntimeClient(), timeout.promise]);
  } catch (error) {
    if (error instanceof RungUnavailableError) throw error;
    throw new RungUnavailableError(`no container runtime answers (${(error as Error).message})`, error);
  } finally {
    clearTimeout(timer);
  }
}

function kafkaContainer(image: string): KafkaContainer {
  const settings = {
    AUTO_CREATE_TOPICS_ENABLE: 'false',
    // Testcontainers sets the in-sync minimum but not the factor, which is 3 by default: no transaction could begin.
    TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    TRANSACTION_STATE_LOG_NUM_PARTITIONS: '4',
    SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
    SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
    GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
    TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS: '1000',
  };
  const environment = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`KAFKA_${name}`, value]));
  return (
    new KafkaContainer(image)
      .withEnvironment({ ...environment, KAFKA_HEAP_OPTS: '-Xmx512m' })
      // The open port comes before the broker serves.
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
      .withStartupTimeout(startTimeoutMs)
  );
}

interface RegistryContainer {
  readonly container: GenericContainer;
  readonly port: number;
  readonly path: string;
  readonly needsKafka: boolean;
}

/** Confluent's registry keeps its schemas in Kafka; Apicurio's, told by its image's name, in memory. */
function registryContainer(image: string): RegistryContainer {
  const apicurio = image.includes('apicurio');
  const port = apicurio ? 8080 : 8081;
  const path = apicurio ? apicurioPath : '';
  const environment = apicurio
    ? { JAVA_OPTIONS: '-Xmx256m' }
    : {
        SCHEMA_REGISTRY_HOST_NAME: 'registry',
        SCHEMA_REGISTRY_LISTENERS: `http://0.0.0.0:${port}`,
        SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: 'PLAINTEXT://kafka:9092',
        SCHEMA_REGISTRY_HEAP_OPTS: '-Xmx256m',
      };
  const container = new GenericContainer(image)
    .withExposedPorts(port)
    .withEnvironment(environment)
    .withWaitStrategy(Wait.forHttp(`${path}/subjects`, port))
    .withStartupTimeout(startTimeoutMs);
  return { container, port, path, needsKafka: !apicurio };
}

/** By label, not by handle: a start cut short has containers that nobody holds yet. */
async function removeContainers(client: ContainerRuntimeClient, stack: string): Promise<void> {
  const { dockerode } = client.container;
  const containers = await dockerode.listContainers({ all: true, filters: { label: [`${stackLabel}=${stack}`] } });
  await Promise.all(
    containers.map(async ({ Id }) => {
      await dockerode.getContainer(Id).remove({ force: true, v: true });
    }),
  );
}
