import type { Connection } from './connection.ts';
import { createCluster, fetchTopicId, type Cluster } from './internals.ts';

/** Asks for topics' ids, which kafkajs cannot (it speaks Metadata up to version 6), on connections of its own. */
export class TopicIds {
  readonly #connection: Connection;
  #cluster: Promise<Cluster> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Of whichever broker answers; rejects with what the last one failed with, and begins anew with the next call. */
  async of(topic: string): Promise<string | undefined> {
    const connecting = (this.#cluster ??= this.#connect());
    try {
      const cluster = await connecting;
      let failure = new Error('no broker is known');
      for (const nodeId of cluster.getNodeIds()) {
        try {
          return await fetchTopicId(await cluster.findBroker({ nodeId }), topic);
        } catch (error) {
          failure = error as Error;
        }
      }
      throw failure;
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
    const cluster = createCluster(this.#connection.kafka());
    await cluster.connect();
    await cluster.refreshMetadata();
    return cluster;
  }
}
