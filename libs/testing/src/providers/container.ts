import { createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { settledWithin, unlessAborted, within } from '@genesys-kafka/resilience';
import { KafkaContainer } from '@testcontainers/kafka';
import {
  GenericContainer,
  getContainerRuntimeClient,
  Wait,
  type ContainerRuntimeClient,
  type StartedTestContainer,
} from 'testcontainers';
import { TestingError } from '../errors.ts';
import type { HostConfig, HostedServers } from '../host/host-protocol.ts';
import type { ProcessGroup } from '../host/process-group.ts';
import { APICURIO_PATH } from '../servers/registry-process.ts';
import { stackImages } from './images.ts';

/** How long a runtime may take to say that it is there, on a machine with much else to do. */
const PROBE_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 180_000;
const PULL_TIMEOUT_MS = 15 * 60_000;
const REMOVAL_TIMEOUT_MS = 5000;
const KAFKA_PORT = 9093;
/** On each container and network of a stack; its value is the stack's directory. */
export const STACK_LABEL = 'genesys-kafka.stack';

/**
 * Kafka and a schema registry in containers. Rejects with `provider-unavailable` when no runtime answers or an image
 * cannot be had. The host ends the containers itself when its pipe closes, and its parent does if the host is killed, so
 * Testcontainers' own reaper, one more image to pull and a mount of the runtime's socket, is off unless
 * TESTCONTAINERS_RYUK_DISABLED=false asks for it.
 */
export async function startContainers(
  config: HostConfig,
  _group: ProcessGroup,
  signal: AbortSignal,
  onProgress: (line: string) => void,
): Promise<HostedServers> {
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  // Testcontainers leaves a lock file among the temporary ones: here it goes with the stack.
  process.env.TMPDIR = config.dir;
  const { dockerode } = (await containerRuntime()).container;
  signal.throwIfAborted();
  const images = stackImages();
  onProgress(`starting ${images.kafka}${config.registry ? ` and ${images.registry}` : ''} in containers`);
  // Before the network exists: an image name that cannot be used throws here.
  const kafka = kafkaContainer(images.kafka).withNetworkAliases('kafka');
  const registry = registryContainer(images.registry);
  const labels = { [STACK_LABEL]: config.dir };
  // Testcontainers' own network bears no label, and without one nobody finds it when its maker is gone.
  const network = basename(config.dir);
  await dockerode.createNetwork({ Name: network, Labels: labels });
  const start = async (container: GenericContainer, log: string) =>
    container
      .withNetworkMode(network)
      .withLabels(labels)
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
  const close = async () => removeStack(config.dir);
  try {
    const [broker, schemas] = await unlessAborted(
      starts,
      AbortSignal.any([signal, AbortSignal.timeout(PULL_TIMEOUT_MS)]),
    );
    const address = (container: StartedTestContainer | undefined, port: number) =>
      container ? `${container.getHost()}:${container.getMappedPort(port)}` : '';
    const registryAddress = address(schemas, registry.port);
    return {
      brokers: [address(broker, KAFKA_PORT)],
      registryUrl: registryAddress && `http://${registryAddress}${registry.path}`,
      close,
    };
  } catch (error) {
    // Removing one makes the other's wait fail; a start that goes on regardless is swept by the second removal.
    await close().catch(() => undefined);
    await settledWithin(Promise.allSettled([kafkaStart, registryStart]), REMOVAL_TIMEOUT_MS);
    await close().catch(() => undefined);
    throw unavailable('The containers did not start', error);
  }
}

/** The runtime's client; rejects with `provider-unavailable` when none answers soon. */
export async function containerRuntime(): Promise<ContainerRuntimeClient> {
  const late = () => new Error(`none in ${PROBE_TIMEOUT_MS / 1000} s`);
  try {
    return await within(getContainerRuntimeClient(), PROBE_TIMEOUT_MS, late);
  } catch (error) {
    throw unavailable('No container runtime answers', error);
  }
}

function unavailable(what: string, cause: unknown): TestingError {
  return new TestingError('provider-unavailable', `${what} (${(cause as Error).message}).`, { cause });
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
      .withStartupTimeout(START_TIMEOUT_MS)
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
  const path = apicurio ? APICURIO_PATH : '';
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
    .withStartupTimeout(START_TIMEOUT_MS);
  return { container, port, path, needsKafka: !apicurio };
}

/**
 * Removes the containers and the network of the stack in `dir`, whoever has started them. By label, not by handle: a
 * start cut short has containers that nobody holds yet, and a killed host leaves no handles at all.
 */
export async function removeStack(dir: string): Promise<void> {
  const { dockerode } = (await containerRuntime()).container;
  const filters = { label: [`${STACK_LABEL}=${dir}`] };
  const containers = await dockerode.listContainers({ all: true, filters });
  await Promise.all(
    containers.map(async ({ Id }) => unlessGone(dockerode.getContainer(Id).remove({ force: true, v: true }))),
  );
  const networks = await dockerode.listNetworks({ filters });
  await Promise.all(networks.map(async ({ Id }) => unlessGone(dockerode.getNetwork(Id).remove())));
}

/** What a second removal meets: 404, gone, and for a container 409, another removal is under way. */
async function unlessGone(removal: Promise<unknown>): Promise<void> {
  await removal.catch((error: unknown) => {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode !== 404 && statusCode !== 409) throw error;
  });
}
