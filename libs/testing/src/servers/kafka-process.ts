import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { within } from '@genesys-kafka/resilience';
import { tellingLine, untilOutput, type ManagedProcess, type ProcessGroup } from '../host/process-group.ts';
import type { ExtraListener, Login } from '../provider.ts';
import { SHORT_LIVED } from './java.ts';

export interface BrokerPlan {
  /** Kafka's node id, from 1. */
  readonly id: number;
  readonly dir: string;
  readonly clientPort: number;
  /** The port clients are told to connect to: a proxy's, or `clientPort`. */
  readonly advertisedPort: number;
  /** Brokers among themselves: a slow proxy before the clients does not slow replication. */
  readonly internalPort: number;
  readonly controllerPort: number;
  readonly listeners?: readonly (ExtraListener & { readonly port: number })[];
  /** Besides those given here, or in their place. */
  readonly properties?: Readonly<Record<string, string>>;
}

const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 60_000;

/** Server properties of one node of a cluster in which every node is broker and controller. */
export function brokerProperties(plan: BrokerPlan, cluster: readonly BrokerPlan[]): string {
  const replicas = cluster.length;
  const inSync = replicas === 1 ? 1 : 2;
  const extra = plan.listeners ?? [];
  const addresses = extra.map(({ name, port }) => `,${name}://127.0.0.1:${port}`).join('');
  const protocols = extra.map(({ name, protocol }) => `,${name}:${protocol}`).join('');
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': plan.id,
    'controller.quorum.voters': cluster.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    listeners: `CLIENT://127.0.0.1:${plan.clientPort},INTERNAL://127.0.0.1:${plan.internalPort},CONTROLLER://127.0.0.1:${plan.controllerPort}${addresses}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${plan.advertisedPort},INTERNAL://127.0.0.1:${plan.internalPort}${addresses}`,
    'listener.security.protocol.map': `CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT${protocols}`,
    'log.dirs': join(plan.dir, 'data'),
    'auto.create.topics.enable': false,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    // Few partitions of the internal topics: each one is created, elected and loaded at the first use.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    // A group's first member need not wait for others, and a dead producer's transaction not for ten seconds.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    // Nine seconds by default: a killed broker's partitions move, and it may come back, only after this time.
    'broker.session.timeout.ms': 5000,
    'broker.heartbeat.interval.ms': 1000,
    // 128 MiB by default, a quarter of the heap given here.
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    ...Object.fromEntries(extra.flatMap(listenerProperties)),
    ...plan.properties,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function listenerProperties({ name, properties = {} }: ExtraListener): [string, string][] {
  const prefix = `listener.name.${name.toLowerCase()}.`;
  // A PEM file's text goes into one line: the lines of a properties file end where theirs would.
  return Object.entries(properties).map(([key, value]) => [`${prefix}${key}`, value.replaceAll('\n', '\\n')]);
}

/** A cluster's id of 16 bytes. One that began with a hyphen would be read as an option by the storage tool. */
export function clusterIdOf(bytes: Buffer): string {
  return Buffer.from(bytes.map((byte, index) => (index === 0 ? byte & 0x7f : byte))).toString('base64url');
}

const LOG4J = `<Configuration status="warn">
  <Appenders><Console name="out"><PatternLayout pattern="[%d] %p %m (%c)%n"/></Console></Appenders>
  <Loggers><Root level="info"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
`;

export interface KafkaClusterOptions {
  readonly group: ProcessGroup;
  readonly java: string;
  /** Class path of Kafka's jars. */
  readonly jars: string;
  readonly brokers: readonly BrokerPlan[];
  readonly scramUsers: readonly Login[];
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** A Kafka cluster as plain processes, every node broker and controller (KRaft). */
export class KafkaCluster {
  readonly #options: KafkaClusterOptions;
  readonly #processes: (ManagedProcess | undefined)[];

  private constructor(options: KafkaClusterOptions) {
    this.#options = options;
    this.#processes = options.brokers.map(() => undefined);
  }

  /** Formats the data directories and starts every broker; resolves when all are registered and serve clients. */
  static async start(options: KafkaClusterOptions): Promise<KafkaCluster> {
    const cluster = new KafkaCluster(options);
    const clusterId = clusterIdOf(randomBytes(16));
    await Promise.all(options.brokers.map(async (plan) => cluster.#format(plan, clusterId)));
    // Together, not in turn: a broker is ready only when the quorum has a leader.
    await Promise.all(options.brokers.map(async (_plan, index) => cluster.startBroker(index)));
    return cluster;
  }

  /** Starts broker `index` (from 0) on the data it had; resolves when it is registered again. */
  async startBroker(index: number): Promise<void> {
    const { group, signal, onProgress } = this.#options;
    const plan = this.#plan(index);
    if (this.#processes[index]?.running) return;
    const args = [...this.#java('-Xms128m', '-Xmx512m'), 'kafka.Kafka', join(plan.dir, 'server.properties')];
    const broker = await group.spawn(`kafka-${plan.id}`, this.#options.java, args);
    this.#processes[index] = broker;
    await untilOutput(broker, 'Kafka Server started', { timeoutMs: READY_TIMEOUT_MS, signal });
    onProgress(`Kafka broker ${plan.id} of ${this.#processes.length} is up on port ${plan.advertisedPort}`);
  }

  /** Stops broker `index` in an orderly way: it hands over its partitions first. */
  async stopBroker(index: number): Promise<void> {
    this.#plan(index);
    const broker = this.#processes[index];
    if (!broker?.running) return;
    broker.kill('SIGTERM');
    await within(broker.exited, STOP_TIMEOUT_MS, () => new Error('late')).catch(() => {
      broker.kill('SIGKILL');
      this.#options.onProgress(`${broker.name} did not stop in ${STOP_TIMEOUT_MS / 1000} s and was killed`);
    });
    await broker.exited;
  }

  /** Kills broker `index` as `kill -9` does. */
  async killBroker(index: number): Promise<void> {
    this.#plan(index);
    const broker = this.#processes[index];
    if (!broker?.running) return;
    broker.kill('SIGKILL');
    await broker.exited;
  }

  #plan(index: number): BrokerPlan {
    const plan = this.#options.brokers[index];
    if (!plan) throw new Error(`there is no broker ${index}: they are counted from 0 to ${this.#processes.length - 1}`);
    return plan;
  }

  async #format(plan: BrokerPlan, clusterId: string): Promise<void> {
    await mkdir(plan.dir, { recursive: true });
    const file = join(plan.dir, 'server.properties');
    await writeFile(file, brokerProperties(plan, this.#options.brokers));
    await writeFile(join(plan.dir, 'log4j2.xml'), LOG4J);
    const users = this.#options.scramUsers.flatMap(({ username, password }) => [
      '--add-scram',
      `SCRAM-SHA-512=[name=${username},password=${password}]`,
    ]);
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, ...users];
    const tool = await this.#options.group.spawn(`format-${plan.id}`, this.#options.java, [
      ...this.#java('-Xmx256m'),
      ...format,
    ]);
    const { code, signal } = await tool.exited;
    this.#options.signal.throwIfAborted();
    if (code === 0) return;
    throw new Error(`formatting the data directory ended with ${code ?? signal}: ${tellingLine(tool.output())}`);
  }

  #java(...memory: string[]): string[] {
    const { brokers, jars } = this.#options;
    const configuration = join(brokers[0]?.dir ?? '', 'log4j2.xml');
    return [
      ...memory,
      SHORT_LIVED,
      '-XX:+ExitOnOutOfMemoryError',
      '-Djava.awt.headless=true',
      `-Dlog4j2.configurationFile=${configuration}`,
      '-cp',
      jars,
    ];
  }
}
