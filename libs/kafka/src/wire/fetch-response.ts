export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  /** 0 where there is none. */
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  /** What lies below was deleted. */
  readonly logStartOffset: bigint;
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** Record batches one after the other; the last one may be cut off. */
  readonly batches: Buffer;
}

export interface FetchResponse {
  /** Of the answer as a whole; 0 where there is none. */
  readonly errorCode: number;
  /** Milliseconds that the broker's quotas ask this connection to wait; the name is kafkajs's, which does the waiting. */
  readonly clientSideThrottleTime: number;
  readonly partitions: readonly FetchedPartition[];
}

/** Fetch response version 11 (https://kafka.apache.org/protocol, Fetch), with the record batches left as bytes. */
export function decodeFetchResponse(body: Buffer): FetchResponse {
  const partitions: FetchedPartition[] = [];
  // throttle time 4, error 2, session 4, topic count 4
  let at = 14;
  for (let topics = body.readInt32BE(10); topics > 0; topics -= 1) {
    const nameEnd = at + 2 + body.readInt16BE(at);
    const topic = body.toString('utf8', at + 2, nameEnd);
    at = nameEnd + 4;
    for (let left = body.readInt32BE(nameEnd); left > 0; left -= 1) {
      const { fetched, end } = decodePartition(body, at, topic);
      partitions.push(fetched);
      at = end;
    }
  }
  return { errorCode: body.readInt16BE(4), clientSideThrottleTime: body.readInt32BE(0), partitions };
}

function decodePartition(
  body: Buffer,
  start: number,
  topic: string,
): { readonly fetched: FetchedPartition; readonly end: number } {
  const aborted = Math.max(0, body.readInt32BE(start + 30));
  const abortedAt = start + 34;
  const abortedTransactions = Array.from({ length: aborted }, (_, index) => ({
    producerId: body.readBigInt64BE(abortedAt + index * 16),
    firstOffset: body.readBigInt64BE(abortedAt + index * 16 + 8),
  }));
  const sizeAt = abortedAt + aborted * 16 + 4; // and the preferred read replica
  const end = sizeAt + 4 + Math.max(0, body.readInt32BE(sizeAt));
  const fetched = {
    topic,
    partition: body.readInt32BE(start),
    errorCode: body.readInt16BE(start + 4),
    highWatermark: body.readBigInt64BE(start + 6),
    lastStableOffset: body.readBigInt64BE(start + 14),
    logStartOffset: body.readBigInt64BE(start + 22),
    abortedTransactions,
    batches: body.subarray(sizeAt + 4, end),
  };
  return { fetched, end };
}
