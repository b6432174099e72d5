import { composeRecord, planMembers } from './compose-record.ts';
import { ANYBODY } from './conversations.ts';
import type { Conversations, Reach } from './conversations.ts';
import { spoil, spreadOut } from './oddities.ts';
import { drawPlan, MEDIA_TYPES } from './plan.ts';
import type { Plan } from './plan.ts';
import { Random } from './random.ts';
import type { TextSpool } from './text-spool.ts';

export interface GeneratorOptions {
  readonly seed: number;
  /** How many conversations there are. */
  readonly records: number;
  /** Conversations start in this interval, evenly spread, in the order of their number. ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Share of records that are invalid on purpose, 0 … 1. */
  readonly invalidShare: number;
}

/** Added to a record's number: the sequence that says how it is spoilt. */
export const SPOILT_STREAM = 0x8_0000_0000;

/**
 * Conversations by formula: record i is a function of the options and i alone, so that pages, archives and a second
 * process all see the same bytes, and nothing is kept.
 */
export class GeneratedConversations implements Conversations {
  readonly edition = 0;
  readonly records: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly #options: GeneratorOptions;
  readonly #spool: TextSpool | undefined;
  readonly #random = new Random();

  /** `spool`: keeps texts that were made once; closed with these conversations. */
  constructor(options: GeneratorOptions, spool?: TextSpool) {
    this.#options = options;
    this.#spool = spool;
    ({ records: this.records, fromMs: this.fromMs, toMs: this.toMs } = options);
  }

  startMs(index: number): number {
    return this.#start(this.#random.reset(this.#options.seed, index), index);
  }

  /** With its kind, and without its text. */
  lifetime(index: number): Plan {
    const random = this.#random.reset(this.#options.seed, index);
    return drawPlan(random, this.#start(random, index));
  }

  id(index: number): string {
    const random = this.#random.reset(this.#options.seed, index);
    drawPlan(random, this.#start(random, index));
    return random.uuid();
  }

  mediaTypes(index: number): readonly string[] {
    return [MEDIA_TYPES[this.lifetime(index).kind]];
  }

  direction(): string {
    return 'inbound';
  }

  text(index: number): string {
    return this.#spool ? this.#spool.text(index, () => this.#compose(index)) : this.#compose(index);
  }

  #compose(index: number): string {
    const random = this.#random.reset(this.#options.seed, index);
    const { text, spread } = composeRecord(random, drawPlan(random, this.#start(random, index)), planMembers);
    if (this.isInvalid(index)) return spoil(this.#random.reset(this.#options.seed, SPOILT_STREAM + index), text);
    return spread ? spreadOut(text) : text;
  }

  has(): boolean {
    return true;
  }

  reach(): Reach {
    return ANYBODY;
  }

  changed(): Conversations {
    return new GeneratedConversations({ ...this.#options, seed: this.#options.seed + 1 });
  }

  async close(): Promise<void> {
    await this.#spool?.close();
  }

  isInvalid(index: number): boolean {
    if (this.#options.invalidShare === 0) return false;
    return this.#random.reset(~this.#options.seed, index).chance(this.#options.invalidShare);
  }

  #start(random: Random, index: number): number {
    const { fromMs, toMs, records } = this.#options;
    const slotMs = (toMs - fromMs) / records;
    return Math.floor(fromMs + (index + random.u32() / 0x1_0000_0000) * slotMs);
  }
}
