/** What kafkajs makes of connections: an admin, or a cluster. */
export interface Connected {
  disconnect(): Promise<void>;
}

/**
 * One connection for whatever is asked at the same time: made with the first question, and anew after one that failed.
 * A connection that was given up is closed when the last question on it has its answer: closing it under the others
 * would fail them with what looks like a verdict ("Topic metadata not loaded").
 */
export class SharedConnection<T extends Connected> {
  readonly #connect: () => Promise<T>;
  #current: Use<T> | undefined;
  #isClosed = false;

  constructor(connect: () => Promise<T>) {
    this.#connect = connect;
  }

  /** Rejects as `ask` does, or as connecting did; `isBroken` says whether what failed `ask` takes a new connection. */
  async ask<R>(ask: (connection: T) => Promise<R>, isBroken: (error: unknown) => boolean = () => true): Promise<R> {
    if (this.#isClosed) throw new Error('the connection is closed');
    const use = (this.#current ??= new Use(this.#connect()));
    use.questions += 1;
    let isMade = false;
    try {
      const connection = await use.connection;
      isMade = true;
      return await ask(connection);
    } catch (error) {
      if ((!isMade || isBroken(error)) && this.#current === use) this.#current = undefined;
      throw error;
    } finally {
      use.questions -= 1;
      if (use.questions === 0 && this.#current !== use) void use.close();
    }
  }

  /** At once, whatever is being asked. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const use = this.#current;
    this.#current = undefined;
    await use?.close();
  }
}

class Use<T extends Connected> {
  readonly connection: Promise<T>;
  questions = 0;

  constructor(connection: Promise<T>) {
    this.connection = connection;
  }

  async close(): Promise<void> {
    await this.connection.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}
