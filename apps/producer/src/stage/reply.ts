import { giveBack } from '@genesys-kafka/resilience/memory';
import { RecordFacts, type StagedBatch, type StagedStep } from './staged-step.ts';
import type { Staged } from './stage-segment.ts';
import type { BatchPlace, ThreadReply } from './thread-messages.ts';

/** What became of a segment, in memory that can be handed from thread to thread. That of the batches is given back. */
export function replyOf({ facts, batches }: Staged): ThreadReply {
  const packed = new Uint8Array(batches.reduce((sum, { batch }) => sum + batch.bytes.length, 0));
  let at = 0;
  const places = batches.map(placeOf);
  for (const { batch } of batches) {
    packed.set(batch.bytes, at);
    at += batch.bytes.length;
    giveBack(batch.bytes);
  }
  return { facts: new Uint8Array(facts.bytes), batches: places, packed };
}

/** What is told of a batch whose bytes lie elsewhere. */
export function placeOf({ topic, partition, batch: { bytes, ...rest } }: StagedBatch): BatchPlace {
  return { topic, partition, ...rest, length: bytes.length };
}

/** The step that a reply tells of; its batches share the reply's memory. */
export function stepOf(firstOrdinal: number, { facts, packed, batches }: ThreadReply): StagedStep {
  let at = 0;
  return {
    firstOrdinal,
    facts: new RecordFacts(Buffer.from(facts.buffer, facts.byteOffset, facts.length)),
    batches: batches.map(({ topic, partition, length, ...rest }) => {
      const bytes = Buffer.from(packed.buffer, packed.byteOffset + at, length);
      at += length;
      return { topic, partition, batch: { ...rest, bytes } };
    }),
    release: () => {
      giveBack(facts);
      giveBack(packed);
    },
  };
}
