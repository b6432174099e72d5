import { createHash } from 'node:crypto';
import type { Conversations, Lifetime, Reach } from '../conversations/conversations.ts';
import { SPOILT_STREAM } from '../conversations/generated-conversations.ts';
import { spoil, spreadOut } from '../conversations/oddities.ts';
import { MEDIA_TYPES } from '../conversations/plan.ts';
import { Random } from '../conversations/random.ts';
import { select } from '../conversations/selection.ts';
import { drawLife, endKnownMs, isHeld, versionsKnown, versionsOf } from './life.ts';
import type { Fates, Life, Version } from './life.ts';
import { LongLived } from './long-lived.ts';
import type { Organisation, TrueVersion, TruthQuery } from './organisation.ts';
import { versionText } from './version-text.ts';

export interface LivingOptions {
  readonly seed: number;
  /** Conversations that start in a day, evenly spread. */
  readonly perDay: number;
  /** The first one starts here. ms since the epoch. */
  readonly fromMs: number;
  /** Nothing happens from here on: none starts, none changes. Infinity: it goes on. */
  readonly toMs: number;
  /** Share of records that are invalid on purpose, in all their versions, 0 … 1. */
  readonly invalidShare: number;
  readonly fates: Fates;
}

const DAY_MS = 86_400_000;
/** Added to a conversation's number: the sequences that its versions are drawn from. */
const STREAMS = {
  text: 0x10_0000_0000,
  begun: 0x18_0000_0000,
  reopened: 0x20_0000_0000,
  reprocessed: 0x28_0000_0000,
  reviewed: 0x30_0000_0000,
} as const;

/**
 * An organisation whose conversations start, end, change and vanish as time goes by. Versions are computed from the
 * seed, never stored: memory is a list of the few that live long, for 37 days back (`LongLived`).
 */
export class LivingOrganisation implements Organisation {
  readonly #options: LivingOptions;
  readonly #random = new Random();
  readonly #longLived: LongLived;
  #last: { readonly index: number; readonly life: Life } | undefined;

  constructor(options: LivingOptions) {
    this.#options = options;
    const { fromMs, perDay } = options;
    this.#longLived = new LongLived({ fromMs, perDay, lifeOf: (index) => this.life(index) });
  }

  asOf(availableMs: number): Conversations {
    return new Lake(this, Math.min(availableMs, this.#options.toMs), false);
  }

  *truth(query: TruthQuery): Generator<TrueVersion, void> {
    const cutMs = Math.min(query.availableMs, this.#options.toMs);
    const lake = new Lake(this, cutMs, true);
    for (const index of select(lake, query)) yield* this.#trueVersions(index, cutMs, query.allVersions);
  }

  *#trueVersions(index: number, cutMs: number, all: boolean): Generator<TrueVersion, void> {
    const life = this.life(index);
    const versions = versionsOf(life);
    const known = versionsKnown(versions, cutMs);
    const vanished = life.vanishedMs !== undefined && life.vanishedMs < cutMs ? life.vanishedMs : undefined;
    for (let number = all ? 0 : known - 1; number < known; number += 1) {
      const version = versions[number]!;
      const endMs = endKnownMs(life, version.sinceMs + 1);
      yield {
        conversationId: this.id(index),
        version: number,
        digest: digestOf(this.text(index, version)),
        since: new Date(version.sinceMs).toISOString(),
        start: new Date(life.startMs).toISOString(),
        ...(endMs === undefined ? {} : { end: new Date(endMs).toISOString() }),
        ...(this.isInvalid(index) ? { invalid: true as const } : {}),
        ...(vanished === undefined ? {} : { vanished: new Date(vanished).toISOString() }),
      };
    }
  }

  get fromMs(): number {
    return this.#options.fromMs;
  }

  /** How many may have started before this moment; the last of them may not have. */
  slotsBefore(ms: number): number {
    const { fromMs, perDay } = this.#options;
    return Math.max(0, Math.ceil(((ms - fromMs) / DAY_MS) * perDay));
  }

  startMs(index: number): number {
    return this.#startMs(this.#random.reset(this.#options.seed, index), index);
  }

  /** Of the conversation asked for last it is remembered: a search asks for it several times in a row. */
  life(index: number): Life {
    if (this.#last?.index !== index) {
      const random = this.#random.reset(this.#options.seed, index);
      this.#last = { index, life: drawLife(random, this.#startMs(random, index), this.#options.fates) };
    }
    return this.#last.life;
  }

  reach(ms: number): Reach {
    return this.#longLived.reach(ms);
  }

  id(index: number): string {
    return this.#random.reset(this.#options.seed, STREAMS.text + index).uuid();
  }

  isInvalid(index: number): boolean {
    const { seed, invalidShare } = this.#options;
    return invalidShare > 0 && this.#random.reset(~seed, index).chance(invalidShare);
  }

  text(index: number, version: Version): string {
    const { seed } = this.#options;
    const isInvalid = this.isInvalid(index);
    const stream = (name: keyof typeof STREAMS) => new Random().reset(seed, STREAMS[name] + index);
    const { text, spread } = versionText({ text: stream('text'), part: stream }, this.life(index), version);
    if (isInvalid) return spoil(this.#random.reset(seed, SPOILT_STREAM + index), text);
    return spread ? spreadOut(text) : text;
  }

  changed(): LivingOrganisation {
    return new LivingOrganisation({ ...this.#options, seed: this.#options.seed + 1 });
  }

  /** Each has a slot of its own, so that starts ascend in the number. */
  #startMs(random: Random, index: number): number {
    const { fromMs, perDay } = this.#options;
    return Math.floor(fromMs + (index + random.u32() / 0x1_0000_0000) * (DAY_MS / perDay));
  }
}

/** Of the record itself, from its first bracket to its last: white space around it belongs to the page. */
function digestOf(text: string): string {
  return createHash('sha256').update(text.trim()).digest('hex');
}

/** The data lake that knows all before one moment: the same records whenever it is asked. */
class Lake implements Conversations {
  readonly edition: number;
  readonly records: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly #organisation: LivingOrganisation;
  readonly #cutMs: number;
  /** Conversations that were deleted are in it as they were last. */
  readonly #withVanished: boolean;

  constructor(organisation: LivingOrganisation, cutMs: number, withVanished: boolean) {
    this.#organisation = organisation;
    this.#cutMs = cutMs;
    this.#withVanished = withVanished;
    this.fromMs = organisation.fromMs;
    this.toMs = cutMs;
    this.edition = cutMs;
    const most = organisation.slotsBefore(cutMs);
    this.records = most > 0 && organisation.startMs(most - 1) >= cutMs ? most - 1 : most;
  }

  startMs(index: number): number {
    return this.#organisation.startMs(index);
  }

  lifetime(index: number): Lifetime {
    const life = this.#organisation.life(index);
    return { startMs: life.startMs, endMs: endKnownMs(life, this.#knownMs(life)) };
  }

  has(index: number): boolean {
    const life = this.#organisation.life(index);
    return isHeld(life, this.#knownMs(life));
  }

  reach(ms: number): Reach {
    // Who is open now may have lived at any moment to come.
    return this.#organisation.reach(Math.min(ms, this.#cutMs));
  }

  id(index: number): string {
    return this.#organisation.id(index);
  }

  mediaTypes(index: number): readonly string[] {
    return [MEDIA_TYPES[this.#organisation.life(index).kind]];
  }

  direction(): string {
    return 'inbound';
  }

  text(index: number): string {
    const life = this.#organisation.life(index);
    const versions = versionsOf(life);
    const version = versions[versionsKnown(versions, this.#cutMs) - 1];
    if (!version) throw new RangeError(`conversation ${index} is not in the lake`);
    return this.#organisation.text(index, version);
  }

  changed(): Conversations {
    return new Lake(this.#organisation.changed(), this.#cutMs, this.#withVanished);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #knownMs(life: Life): number {
    const { vanishedMs } = life;
    return this.#withVanished && vanishedMs !== undefined ? Math.min(this.#cutMs, vanishedMs) : this.#cutMs;
  }
}
