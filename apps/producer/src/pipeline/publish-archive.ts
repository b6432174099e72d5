import type { Archive } from '@genesys-kafka/archive';
import { endsSourceOnly } from '@genesys-kafka/resilience';
import { prefetch } from './prefetch.ts';
import type { SourcePublisher } from './source-publisher.ts';
import type { Stages } from './stages.ts';

/** Steps that are read from disk while one waits for the publisher's buffer. */
const STEPS_AHEAD = 1;

/**
 * Brings an archive onto the topic: stages it, and where it has proved itself whole, sends it. Resolves with the number
 * of records it holds; where they are more than `most`, none is sent (`too-many-records`). Memory: two steps, and the publisher's buffer.
 */
export async function publishArchive(
  archive: Archive,
  source: SourcePublisher,
  stages: Stages,
  signal: AbortSignal,
  most?: number,
): Promise<number> {
  const staged = await stages.of(archive, source, signal);
  try {
    source.assertFew(staged.records, most);
    for await (const step of prefetch(staged.steps(), STEPS_AHEAD)) {
      signal.throwIfAborted();
      await source.publish(step, undefined, signal);
    }
    if (staged.fault) throw staged.fault;
    source.assertReached(staged.records);
  } catch (error) {
    // Of what is interrupted nothing is staged again.
    if (endsSourceOnly(error)) await stages.release(source.id);
    throw error;
  }
  await stages.release(source.id);
  return staged.records;
}
