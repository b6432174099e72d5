import type { Archive } from '@genesys-kafka/archive';
import type { SourcePublisher } from './source-publisher.ts';
import { stageArchive, type StageOptions, type StagedArchive } from './stage-archive.ts';

/** How the results of a source are read. */
export interface Reading {
  readonly pages: Pick<StageOptions, 'scan' | 'stager'>;
  readonly stages: Stages;
}

/** A source and how many of its records are on the topic already. */
type SourceAt = Pick<SourcePublisher, 'id' | 'facts' | 'skipped'>;

/** Archives that are staged, by their source, until it has ended: publishing that was interrupted does not stage anew. */
export class Stages implements AsyncDisposable {
  readonly #options: StageOptions;
  readonly #staged = new Map<string, StagedArchive>();

  constructor(options: StageOptions) {
    this.#options = options;
  }

  /** What is staged of this source, from where it stands. Raises what `stageArchive` does. */
  async of(archive: Archive, source: SourceAt, signal: AbortSignal): Promise<StagedArchive> {
    const kept = this.#staged.get(source.id);
    if (kept && kept.from <= source.skipped) return kept;
    await this.release(source.id);
    const staged = await stageArchive(archive, source.facts, source.skipped, this.#options, signal);
    this.#staged.set(source.id, staged);
    return staged;
  }

  async release(sourceId: string): Promise<void> {
    const staged = this.#staged.get(sourceId);
    this.#staged.delete(sourceId);
    await staged?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#staged.keys()].map((id) => this.release(id)));
  }
}
