import type { StagedStep, Stager } from './staged-step.ts';
import type { Segment, SourceFacts } from './thread-messages.ts';

/** Several of them as one: a segment goes to whichever has the fewest in hand. */
export class StagingThreads implements Stager {
  readonly ahead: number;
  readonly #threads: readonly { readonly stager: Stager; inHand: number }[];

  constructor(stagers: readonly Stager[]) {
    this.#threads = stagers.map((stager) => ({ stager, inHand: 0 }));
    // Each has one that it is at, and one of them has the next one waiting.
    this.ahead = stagers.length + 1;
  }

  async stage(segment: Segment, facts: SourceFacts): Promise<StagedStep> {
    const least = this.#threads.reduce((best, thread) => (thread.inHand < best.inHand ? thread : best));
    least.inHand += 1;
    try {
      return await least.stager.stage(segment, facts);
    } finally {
      least.inHand -= 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(async ({ stager }) => stager[Symbol.asyncDispose]()));
  }
}
