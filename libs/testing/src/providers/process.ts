import { join } from 'node:path';
import { freePorts } from '../free-port.ts';
import type { HostConfig, HostedServers } from '../host/host-protocol.ts';
import type { ProcessGroup } from '../host/process-group.ts';
import { ensureServers } from '../servers/download.ts';
import { findJava } from '../servers/java.ts';
import { KafkaCluster, type BrokerPlan } from '../servers/kafka-process.ts';
import { startRegistry } from '../servers/registry-process.ts';

/** Apache Kafka and Apicurio Registry as plain processes, all of them in `group`. */
export async function startProcesses(
  config: HostConfig,
  group: ProcessGroup,
  signal: AbortSignal,
  onProgress: (line: string) => void,
): Promise<HostedServers> {
  const java = await findJava(signal);
  const servers = await ensureServers({ group, signal, onProgress });
  const spokenFor = config.ports.flatMap(({ listen, advertised, extra }) => [listen, advertised, ...extra]);
  const [registryPort = 0, ...own] = await freePorts(1 + config.ports.length * 2, spokenFor);
  const plans = brokerPlans(config, own);
  const kafka = { group, java, jars: servers.kafkaJars, signal, onProgress };
  // One failure ends the other's wait as well: the caller kills the group.
  const [cluster, registryUrl] = await Promise.all([
    KafkaCluster.start({ ...kafka, brokers: plans, scramUsers: config.scramUsers }),
    config.registry ? startRegistry({ group, java, servers, port: registryPort, signal }) : '',
  ]);
  return {
    brokers: plans.map(({ advertisedPort }) => `127.0.0.1:${advertisedPort}`),
    registryUrl,
    async control(verb, index) {
      if (verb === 'start') await cluster.startBroker(index);
      else if (verb === 'stop') await cluster.stopBroker(index);
      else await cluster.killBroker(index);
    },
  };
}

function brokerPlans(config: HostConfig, ports: readonly number[]): BrokerPlan[] {
  return config.ports.map(({ listen, advertised, extra }, index) => ({
    id: index + 1,
    dir: join(config.dir, `kafka-${index + 1}`),
    clientPort: listen,
    advertisedPort: advertised,
    internalPort: ports[index * 2] ?? 0,
    controllerPort: ports[index * 2 + 1] ?? 0,
    listeners: config.listeners.map((listener, at) => ({ ...listener, port: extra[at]! })),
    properties: config.properties,
  }));
}
