/** The other side of thread-session.ts: stages the records that lie in a buffer of shared memory. */
import { parentPort, workerData } from 'node:worker_threads';
import { createRecordValidator } from '@genesys-kafka/conversation';
import { replyOf } from './reply.ts';
import { stageSegment } from './stage-segment.ts';
import type { ThreadAnswer, ThreadOptions, ThreadRequest } from './thread-messages.ts';

const { schema } = workerData as ThreadOptions;
const validator = createRecordValidator(schema === undefined ? {} : { schema: JSON.parse(schema) as object });

parentPort!.on('message', (request: ThreadRequest) => {
  parentPort!.postMessage('begun' satisfies ThreadAnswer);
  const reply = replyOf(stageSegment(validator, request));
  parentPort!.postMessage(reply satisfies ThreadAnswer, [reply.facts.buffer, reply.packed.buffer]);
});

parentPort!.postMessage('ready' satisfies ThreadAnswer);
