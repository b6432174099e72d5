import { AsyncLocalStorage } from 'node:async_hooks';
import { partitionName } from '../../partition-name.ts';
import type { TopicPartition } from '../../port.ts';

/**
 * Tells a commit that is still wanted from one that was overtaken. kafkajs tries a failed commit again for minutes, in
 * later generations too: an old place would then land after a newer one, or after what the partition's next owner has
 * committed, and the group would stand where it stood before.
 */
export class CommitOrder {
  readonly #wanted = new AsyncLocalStorage<() => boolean>();
  readonly #latest = new Map<string, symbol>();

  /** Makes `commit`, with all its attempts, the latest one of these partitions. */
  async run(partitions: readonly TopicPartition[], commit: () => Promise<void>): Promise<void> {
    const names = partitions.map(partitionName);
    const own = Symbol('commit');
    for (const name of names) this.#latest.set(name, own);
    await this.#wanted.run(() => names.every((name) => this.#latest.get(name) === own), commit);
  }

  /** A generation begins: what was asked for in the one before is not tried again. */
  joined(): void {
    this.#latest.clear();
  }

  /** Of the commit whose attempt asks: whether no later one has any of its partitions, and its generation goes on. */
  isWanted(): boolean {
    return this.#wanted.getStore()?.() ?? true;
  }
}
