import { systemClock, type Clock } from '@genesys-kafka/resilience';
import { stepOf } from './reply.ts';
import { giveBack } from './segment.ts';
import type { EncodeOptions } from './value-encoder.ts';
import { RecordFacts, type StagedStep, type Stager } from './staged-step.ts';
import { PLACE_NUMBERS, type Segment, type SourceFacts, type ThreadOptions } from './thread-messages.ts';
import { startWorker, ThreadLost, ThreadSession, type ThreadWorker } from './thread-session.ts';

/**
 * Stages on a thread of its own, while this one inflates, scans and sends: the records lie in shared memory, and what
 * becomes of them comes back. Several calls may be under way.
 *
 * No record ends it: when the thread hangs or runs out of memory, a new one takes its place, and the records it was at
 * are staged one by one. The one on which that thread is lost too is `record-too-costly`.
 */
export class StagingThread implements Stager {
  readonly ahead = 2;
  readonly #start: () => ThreadSession;
  readonly #options: Promise<EncodeOptions>;
  #session: ThreadSession;
  #isClosed = false;
  /** Threads that were lost. */
  #lost = 0;

  constructor(
    thread: ThreadOptions,
    options: Promise<EncodeOptions>,
    start: (thread: ThreadOptions) => ThreadWorker = startWorker,
    clock: Clock = systemClock,
  ) {
    this.#options = options;
    this.#start = () => new ThreadSession(start(thread), clock);
    this.#session = this.#start();
  }

  async stage(segment: Segment, facts: SourceFacts): Promise<StagedStep> {
    const lost = this.#lost;
    const step = await this.#stage(segment, facts, false);
    // Not where a thread was lost meanwhile: it may still be reading it.
    if (this.#lost === lost) giveBack(segment);
    return step;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#session.close();
  }

  /** `isSuspected`: a thread was lost on these records, or on others with them, before. */
  async #stage(segment: Segment, facts: SourceFacts, isSuspected: boolean): Promise<StagedStep> {
    for (let costly: string | undefined; ;) {
      try {
        return await this.#ask(segment, facts, costly);
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error;
        this.#lost += 1;
        if (!error.isAtFault) continue;
        // It has not looked at the record: something else is wrong.
        if (costly !== undefined) throw error;
        if (isSuspected) {
          costly = error.message;
          continue;
        }
        const each: StagedStep[] = [];
        for (const one of singly(segment)) each.push(await this.#stage(one, facts, true));
        return joined(each);
      }
    }
  }

  async #ask(segment: Segment, facts: SourceFacts, costly: string | undefined): Promise<StagedStep> {
    const options = await this.#options;
    if (this.#session.isOver && !this.#isClosed) this.#session = this.#start();
    const reply = await this.#session.ask({ segment, facts, options, costly });
    return stepOf(segment.firstOrdinal, reply);
  }
}

function singly(segment: Segment): Segment[] {
  const count = segment.places.length / PLACE_NUMBERS;
  return Array.from({ length: count }, (_, index) => ({
    ...segment,
    firstOrdinal: segment.firstOrdinal + index,
    places: segment.places.slice(index * PLACE_NUMBERS, (index + 1) * PLACE_NUMBERS),
  }));
}

function joined(steps: readonly StagedStep[]): StagedStep {
  return {
    firstOrdinal: steps[0]!.firstOrdinal,
    facts: new RecordFacts(Buffer.concat(steps.map(({ facts }) => facts.bytes))),
    batches: steps.flatMap(({ batches }) => batches),
  };
}
