/** The other side of thread-session.ts: validates the records that lie in a buffer of shared memory. */
import { parentPort, workerData } from 'node:worker_threads';
import { createRecordValidator } from '@genesys-kafka/conversation';
import { validateRecord } from './batch-validator.ts';
import { DIGEST_BYTES, type ThreadAnswer, type ThreadOptions, type ThreadRequest } from './thread-messages.ts';

const { schema } = workerData as ThreadOptions;
const validator = createRecordValidator({ schema: JSON.parse(schema) as object });

parentPort!.on('message', ({ buffer, places }: ThreadRequest) => {
  const digests = new Uint8Array(places.length * DIGEST_BYTES);
  const outcomes = places.map(({ start, length, members }, index) => {
    const { digest, outcome } = validateRecord(validator, Buffer.from(buffer, start, length), members);
    digests.set(digest, index * DIGEST_BYTES);
    return outcome;
  });
  const reply: ThreadAnswer = { digests, outcomes };
  parentPort!.postMessage(reply, [digests.buffer]);
});

parentPort!.postMessage('ready' satisfies ThreadAnswer);
