export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface FetchedPartition {
  /** 0 where there is none. */
  readonly errorCode: number;
  readonly lastStableOffset: bigint;
  readonly highWatermark: bigint;
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** Record batches one after the other; the last one may be cut off. */
  readonly batches: Buffer;
}

/** Fetch response version 11 for one partition of one topic (https://kafka.apache.org/protocol, Fetch). */
export function decodeFetchResponse(body: Buffer): FetchedPartition {
  const topLevelError = body.readInt16BE(4);
  const topics = body.readInt32BE(10);
  if (topLevelError !== 0 || topics !== 1) {
    const nothing = { lastStableOffset: -1n, highWatermark: -1n, abortedTransactions: [], batches: Buffer.alloc(0) };
    return { errorCode: topLevelError || -1, ...nothing };
  }
  // throttle time 4, error 2, session 4, topic count 4, topic name 2 + n, partition count 4, partition 4
  let at = 14 + 2 + body.readInt16BE(14) + 4 + 4;
  const errorCode = body.readInt16BE(at);
  const highWatermark = body.readBigInt64BE(at + 2);
  const lastStableOffset = body.readBigInt64BE(at + 10);
  const aborted = Math.max(0, body.readInt32BE(at + 26));
  at += 30;
  const abortedTransactions = Array.from({ length: aborted }, (_, index) => ({
    producerId: body.readBigInt64BE(at + index * 16),
    firstOffset: body.readBigInt64BE(at + index * 16 + 8),
  }));
  at += aborted * 16 + 4; // and the preferred read replica
  const size = Math.max(0, body.readInt32BE(at));
  return {
    errorCode,
    lastStableOffset,
    highWatermark,
    abortedTransactions,
    batches: body.subarray(at + 4, at + 4 + size),
  };
}
