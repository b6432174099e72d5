import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';

/** What a stack host is told on its command line, as JSON. */
export interface HostConfig {
  readonly rung: 'container' | 'process';
  readonly brokers: 1 | 3;
  readonly registry: boolean;
  /** Holds data and logs; the host removes it at the end. */
  readonly dir: string;
  readonly keepLogs: boolean;
  /** Process rung: the port each broker listens on for clients, and the one it tells them. */
  readonly ports: readonly { readonly listen: number; readonly advertised: number }[];
}

export type BrokerVerb = 'stop' | 'start' | 'kill';

export interface HostRequest {
  readonly id: number;
  readonly verb: BrokerVerb;
  readonly index: number;
}

/** What a host writes to stdout, one JSON object a line. */
export type HostEvent =
  | { readonly type: 'progress'; readonly line: string }
  /** A process the parent must end should the host itself be killed. */
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'gone'; readonly pid: number }
  | { readonly type: 'ready'; readonly brokers: readonly string[]; readonly registryUrl: string }
  | { readonly type: 'failed'; readonly reason: string; readonly portTaken: boolean; readonly logs?: string }
  | { readonly type: 'answer'; readonly id: number; readonly error?: string };

/** The messages of a stream with one JSON object a line. */
export async function* messages<T>(stream: Readable): AsyncGenerator<T> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    if (line !== '') yield JSON.parse(line) as T;
  }
}
