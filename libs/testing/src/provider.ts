import type { ChaosProxy } from './chaos-proxy.ts';

/** Who brings up the servers, in the order in which they are tried. */
export const PROVIDERS = ['environment', 'container', 'process'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** One more way in to every broker, with a login or with TLS. */
export interface ExtraListener {
  /** Upper case, not CLIENT, INTERNAL or CONTROLLER. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SASL_PLAINTEXT' | 'SASL_SSL' | 'SSL';
  /** Of this listener alone (`ssl.keystore.key`, `plain.sasl.jaas.config`), without `listener.name.`. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A running Kafka and schema registry. Closing it, or the end of this process however it comes, ends the servers. */
export interface Stack extends AsyncDisposable {
  /** Bootstrap addresses, `host:port`, in the order of the brokers' indices. */
  readonly brokers: string[];
  /** Base URL of Confluent's registry API, path included; empty with `registry: false`. */
  readonly registryUrl: string;
  readonly provider: Provider;
  /** Bootstrap addresses at each of the extra listeners, by its name. */
  readonly listeners: Readonly<Record<string, readonly string[]>>;
  /** The proxy in front of each broker that has one (`slowBroker`, `proxied`), at the broker's index. */
  readonly proxies: readonly (ChaosProxy | undefined)[];
  /** Stops broker `index` (from 0) as SIGTERM does. Plain processes only, like the next two. */
  stopBroker(index: number): Promise<void>;
  /** Starts a stopped or killed broker on its old data and port; resolves when it serves again. */
  startBroker(index: number): Promise<void>;
  /** Ends broker `index` as `kill -9` does. */
  killBroker(index: number): Promise<void>;
  /** The process of broker `index` while it runs; undefined where brokers are not plain processes of this stack. */
  brokerPid(index: number): number | undefined;
  /** Ends everything and removes the data. A second call waits for the first. */
  close(): Promise<void>;
}

export interface StackOptions {
  /** Default 1. Three are always plain processes. */
  readonly brokers?: 1 | 3;
  /** Default true. */
  readonly registry?: boolean;
  /** Clients reach this broker (index from 0) through a proxy that delays each direction. Plain processes only. */
  readonly slowBroker?: { readonly index: number; readonly latencyMs: number };
  /** Puts a proxy in front of every broker, for scripted faults. Plain processes only. */
  readonly proxied?: boolean;
  /** Server properties besides the usual ones, the same for every broker. Plain processes only, like the next two. */
  readonly properties?: Readonly<Record<string, string>>;
  readonly listeners?: readonly ExtraListener[];
  /** Who may log in with SCRAM-SHA-512 where a listener offers it. */
  readonly scramUsers?: readonly Login[];
  /** Ends a start under way; a running stack is closed with `close`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
  /** Keeps the servers' logs when a start fails or a server ends by itself. Default true. */
  readonly keepLogsOnFailure?: boolean;
}
