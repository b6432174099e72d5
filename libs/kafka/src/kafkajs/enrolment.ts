import { setImmediate } from 'node:timers/promises';
import { systemClock, type Clock } from '@genesys-kafka/resilience';
import type { EnrolCall, TransactionCoordinator } from './internals.ts';

/** A coordinator that is still writing the markers of the transaction before is asked again after so long … */
const MARKERS_WAIT_MS = 10;
/** … so many times; kafkajs goes on from there. */
const MARKERS_WAITS = 20;

interface Waiting {
  readonly call: EnrolCall;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Enrols partitions in a producer's transaction: those that are asked for at once go in one request, one request after
 * the other. kafkajs asks for each partition by itself, all at the same time; a coordinator takes one change of a
 * transaction at a time and refuses the others, which are asked for again after waits that double, with new metadata
 * each time.
 *
 * Its coordinator is looked for once, and again after a request that failed.
 */
export class Enrolment {
  readonly #find: () => Promise<TransactionCoordinator>;
  readonly #clock: Clock;
  #coordinator: Promise<TransactionCoordinator> | undefined;
  #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(find: () => Promise<TransactionCoordinator>, clock: Clock = systemClock) {
    this.#find = find;
    this.#clock = clock;
  }

  /** Resolves once the coordinator has taken the partitions; rejects with kafkajs's error for one of them. */
  async enrol(call: EnrolCall): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ call, resolve, reject });
    if (!this.#isRunning) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      // Sends that begin together ask within one turn of the loop.
      await setImmediate();
      await this.#enrolAll(this.#waiting.splice(0));
    }
    this.#isRunning = false;
  }

  async #enrolAll(together: readonly Waiting[]): Promise<void> {
    try {
      const answer = await this.#patiently(merged(together.map(({ call }) => call)));
      for (const { resolve } of together) resolve(answer);
    } catch (error) {
      // Of several it is not said which one was refused: each is to hear of its own.
      const isRefusal = (error as Error).name === 'KafkaJSProtocolError';
      if (isRefusal && together.length > 1) for (const one of together) await this.#enrolAll([one]);
      else for (const { reject } of together) reject(error);
    }
  }

  async #patiently(call: EnrolCall): Promise<unknown> {
    for (let waits = 0; ; waits += 1) {
      this.#coordinator ??= this.#find();
      try {
        return await (await this.#coordinator).addPartitionsToTxn(call);
      } catch (error) {
        if ((error as { type?: string }).type !== 'CONCURRENT_TRANSACTIONS' || waits === MARKERS_WAITS) {
          this.#coordinator = undefined;
          throw error;
        }
        await this.#clock.sleep(MARKERS_WAIT_MS);
      }
    }
  }
}

/** One producer's: of the same transaction, for a next one begins when all of these are settled. */
function merged(calls: readonly EnrolCall[]): EnrolCall {
  const [first] = calls as [EnrolCall];
  const topics = new Map<string, number[]>();
  for (const { topic, partitions } of calls.flatMap((call) => call.topics))
    topics.set(topic, [...(topics.get(topic) ?? []), ...partitions]);
  return { ...first, topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) };
}
