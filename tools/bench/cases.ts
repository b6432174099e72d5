import { spawn } from 'node:child_process';
import { measure, type Measured } from '@genesys-kafka/testing';
import type { Peer } from './peers/peers.ts';
import { topicOf } from './topics.ts';

/** Of the product also how late its event loop was: p99, in milliseconds. */
export type CaseRun = Measured & { readonly loopDelayMs?: number };

/** One line of the table: something that publishes all conversations to a topic. */
export interface BenchCase {
  readonly name: string;
  /** The product puts Confluent's frame before each value, and makes its topics itself. */
  readonly isProduct: boolean;
  readonly rewrites: boolean;
  /** The process that the conversations are fetched from, where they do not lie on disk. */
  readonly sourcePid?: number;
  /** One run, onto topics under this prefix. */
  readonly run: (prefix: string, signal: AbortSignal) => Promise<CaseRun>;
}

export function peerCase({ name, rewrites, command }: Peer, archive: string, brokers: readonly string[]): BenchCase {
  const [program, ...args] = command;
  return {
    name,
    isProduct: false,
    rewrites,
    run: async (prefix, signal) =>
      measure(
        (options) => spawn(program!, [...args, archive, topicOf(prefix)], options),
        { KAFKA_BROKERS: brokers.join(',') },
        { signal },
      ),
  };
}
