import type { ChaosProxy } from './chaos-proxy.ts';
import { environmentStack } from './environment-rung.ts';
import { RungUnavailableError, StackSettingError, StackUnavailableError, type RungReport } from './errors.ts';
import { hostedStack, HostFailure } from './hosted-stack.ts';

export type Rung = 'environment' | 'container' | 'process';

/** A running Kafka and schema registry. Closing it, or the end of this process however it comes, ends the servers. */
export interface Stack extends AsyncDisposable {
  /** Bootstrap addresses, `host:port`, in the order of the brokers' indices. */
  readonly brokers: string[];
  /** Base URL of Confluent's registry API, path included; empty with `registry: false`. */
  readonly registryUrl: string;
  readonly rung: Rung;
  /** The proxy in front of each broker that has one (`slowBroker`, `proxied`), at the broker's index. */
  readonly proxies: readonly (ChaosProxy | undefined)[];
  /** Stops broker `index` (from 0) as SIGTERM does. Process rung only, like the next two. */
  stopBroker(index: number): Promise<void>;
  /** Starts a stopped or killed broker on its old data and port; resolves when it serves again. */
  startBroker(index: number): Promise<void>;
  /** Ends broker `index` as `kill -9` does. */
  killBroker(index: number): Promise<void>;
  /** Ends everything and removes the data. A second call waits for the first. */
  close(): Promise<void>;
}

export interface StackOptions {
  /** Default 1. Three are always plain processes. */
  readonly brokers?: 1 | 3;
  /** Default true. */
  readonly registry?: boolean;
  /** Clients reach this broker (index from 0) through a proxy that delays each direction. Process rung only. */
  readonly slowBroker?: { readonly index: number; readonly latencyMs: number };
  /** Puts a proxy in front of every broker, for scripted faults. Process rung only. */
  readonly proxied?: boolean;
  /** Ends a start under way; a running stack is closed with `close`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
  /** Keeps the servers' logs when a start fails or a server ends by itself. Default true. */
  readonly keepLogsOnFailure?: boolean;
}

const rungs: readonly Rung[] = ['environment', 'container', 'process'];

const needs: Record<Rung, string> = {
  environment: 'KAFKA_BROKERS and SCHEMA_REGISTRY_URL, addresses of servers that answer',
  container: 'a container runtime (Docker or a compatible one) that can pull or already has the images',
  process: 'Java 17 or newer, and for the first run Maven (mvn) with access to Maven Central',
};

/**
 * Starts real servers by the first rung that works: addresses in the environment (KAFKA_BROKERS, SCHEMA_REGISTRY_URL),
 * containers, plain processes. GENESYS_KAFKA_STACK=environment|container|process forces a rung;
 * GENESYS_KAFKA_KAFKA_IMAGE and GENESYS_KAFKA_REGISTRY_IMAGE name other images.
 * Rejects with StackUnavailableError when no rung works, with StackSettingError when addresses are set and nothing
 * answers there, or with the signal's reason.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { signal } = options;
  const reports: RungReport[] = [];
  for (const rung of chosenRungs()) {
    signal?.throwIfAborted();
    try {
      return await startRung(rung, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RungUnavailableError) && !(error instanceof HostFailure)) throw error;
      const logs = error instanceof HostFailure ? error.logs : undefined;
      reports.push({ rung, needs: needs[rung], reason: error.message, ...(logs === undefined ? {} : { logs }) });
      options.onProgress?.(`not by ${rung}: ${error.message}`);
    }
  }
  throw new StackUnavailableError(reports);
}

function chosenRungs(): readonly Rung[] {
  const forced = process.env.GENESYS_KAFKA_STACK;
  if (forced === undefined || forced === '') return rungs;
  const rung = rungs.find((candidate) => candidate === forced);
  if (rung === undefined) {
    throw new StackSettingError(`GENESYS_KAFKA_STACK is "${forced}": it must be one of ${rungs.join(', ')}`);
  }
  return [rung];
}

async function startRung(rung: Rung, options: StackOptions): Promise<Stack> {
  const plain = (options.brokers ?? 1) === 1 && !options.slowBroker && !options.proxied;
  if (rung !== 'process' && !plain) {
    throw new RungUnavailableError('three brokers, and brokers behind a proxy, are plain processes only');
  }
  return rung === 'environment' ? environmentStack(options) : hostedStack(rung, options);
}
