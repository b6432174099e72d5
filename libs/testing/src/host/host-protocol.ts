import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { ExtraListener, Login } from '../provider.ts';

export interface BrokerPorts {
  readonly listen: number;
  readonly advertised: number;
  /** One for each extra listener, in their order. */
  readonly extra: readonly number[];
}

/** What a stack host is told on its command line, as JSON. */
export interface HostConfig {
  readonly provider: 'container' | 'process';
  readonly brokers: 1 | 3;
  readonly registry: boolean;
  /** Holds data and logs; the host removes it at the end. */
  readonly dir: string;
  readonly keepLogs: boolean;
  /** Plain processes: the port each broker listens on for clients, and the one it tells them. */
  readonly ports: readonly BrokerPorts[];
  readonly properties: Readonly<Record<string, string>>;
  readonly listeners: readonly ExtraListener[];
  readonly scramUsers: readonly Login[];
}

export type BrokerVerb = 'stop' | 'start' | 'kill';

/** A stack as its host sees it. */
export interface HostedServers {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  /** Absent where brokers cannot be stopped one by one. */
  readonly control?: (verb: BrokerVerb, index: number) => Promise<void>;
  /** Ends what is not a process of the host's group. */
  readonly close?: () => Promise<void>;
}

export interface HostRequest {
  readonly id: number;
  readonly verb: BrokerVerb;
  readonly index: number;
}

/** What a host writes to stdout, one JSON object a line. */
export type HostEvent =
  | { readonly type: 'progress'; readonly line: string }
  /** A process the parent must end should the host itself be killed. */
  | { readonly type: 'spawned'; readonly pid: number; readonly name: string }
  | { readonly type: 'gone'; readonly pid: number }
  | { readonly type: 'ready'; readonly brokers: readonly string[]; readonly registryUrl: string }
  | { readonly type: 'failed'; readonly reason: string; readonly portTaken: boolean; readonly logs?: string }
  | { readonly type: 'answer'; readonly id: number; readonly error?: string };

/** The process of broker `index`, from 0. */
export function brokerName(index: number): string {
  return `kafka-${index + 1}`;
}

/** The messages of a stream with one JSON object a line. */
export async function* messages<T>(stream: Readable): AsyncGenerator<T> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    if (line !== '') yield JSON.parse(line) as T;
  }
}
