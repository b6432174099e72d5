/** What a sink is given: one record on its way along one route. */
export interface Delivery {
  readonly route: string;
  /** The record's own bytes, without the Confluent frame. */
  readonly body: Buffer;
  /** `conversationId`. */
  readonly key: string;
  /** Source + ordinal: stable across retries and replays. */
  readonly idempotencyKey: string;
  /** Offset in the main topic, kept through retries: lets a target refuse an older version. */
  readonly recordVersion: bigint;
  readonly contentType: string;
  /** Of the message that it came in. */
  readonly headers: Readonly<Record<string, Buffer>>;
  /** Set by the route's `reshape`, for sinks that have headers; their own win. */
  readonly shapedHeaders?: Readonly<Record<string, string>>;
}

/** Why a delivery did not succeed, free of personal data. */
export interface DeliveryFailure {
  /** Stable, for scripts and metrics: `http-503`, `timeout`, `connection-reset`, `disk-full`. */
  readonly cause: string;
  readonly reason: string;
  readonly httpStatus?: number;
}

export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  /** Transient: try again later, not before `retryAfterMs` where the target named a time. */
  | { readonly kind: 'retry'; readonly failure: DeliveryFailure; readonly retryAfterMs?: number }
  /** Permanent and this record's own fault: a dead letter at once. */
  | {
      readonly kind: 'rejected';
      readonly failure: DeliveryFailure;
      /**
       * It was the request that was refused, and which of its records are at fault is not known: those so marked are
       * sent again in halves, until the guilty stand alone.
       */
      readonly ofSeveral?: true;
      /** Found out before anything was sent: it says nothing of the target. */
      readonly unsent?: true;
    }
  /** The target refuses us, not the record (3xx, 401, 403): the circuit opens, the record waits. */
  | { readonly kind: 'misconfigured'; readonly failure: DeliveryFailure };

/** When a batch is closed: at so many records, at so many bytes of bodies, or when its first record has waited so long. */
export interface BatchLimits {
  readonly records: number;
  /** A larger record goes alone. */
  readonly bytes: number;
  /** 0: nobody waits for company, and what has gathered when a request may start goes. */
  readonly ageMs: number;
}

export interface Sink {
  readonly batch: BatchLimits;
  /** Requests at a time that it has a use for; absent where that is for the configuration to say. */
  readonly maxRequests?: number;
  /**
   * One request; `onWritten` is told when it leaves, as often as it is written. Resolves with what became of each record, in their order; rejects only when `signal` aborts, and then
   * with its reason. Everything else is an outcome.
   */
  deliver(batch: readonly Delivery[], signal: AbortSignal, onWritten?: () => void): Promise<readonly DeliveryOutcome[]>;
  /** Tries the connection and permission without delivering anything; rejects with an OperationalError. */
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
