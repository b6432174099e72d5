import type { Connection } from './connection.ts';
import { createCluster, type Cluster } from './internals.ts';

/**
 * Where partitions end with what open transactions hold, which kafkajs's admin, read_committed, does not tell. On
 * connections of its own, made with the first call and anew after one that failed.
 */
export class LogEnds {
  readonly #connection: Connection;
  #cluster: Promise<Cluster> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async of(topic: string, partitions: number): Promise<ReadonlyMap<number, bigint>> {
    const connecting = (this.#cluster ??= this.#connect());
    try {
      const cluster = await connecting;
      await cluster.addTargetTopic(topic);
      const asked = Array.from({ length: partitions }, (_, partition) => ({ partition }));
      const [found] = await cluster.fetchTopicsOffset([{ topic, fromBeginning: false, partitions: asked }]);
      return new Map((found?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]));
    } catch (error) {
      if (this.#cluster === connecting) this.close();
      throw error;
    }
  }

  close(): void {
    const closing = this.#cluster;
    this.#cluster = undefined;
    closing?.then((cluster) => cluster.disconnect()).catch(() => undefined);
  }

  async #connect(): Promise<Cluster> {
    const cluster = createCluster(this.#connection.kafka(), 'read_uncommitted');
    await cluster.connect();
    return cluster;
  }
}
