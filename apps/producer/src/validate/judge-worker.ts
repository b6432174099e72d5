/** The other side of worker-judge.ts: judges the records that lie in a slab of shared memory. */
import { parentPort } from 'node:worker_threads';
import { contentDigest, createRecordValidator } from '@genesys-kafka/conversation';
import { DIGEST_BYTES, type JudgeReply, type JudgeRequest } from './judge-messages.ts';
import { judgeBytes } from './judge.ts';

const validator = createRecordValidator();

parentPort!.on('message', ({ id, slab, places }: JudgeRequest) => {
  const digests = new Uint8Array(places.length * DIGEST_BYTES);
  const verdicts = places.map(({ start, length, members }, index) => {
    const bytes = Buffer.from(slab, start, length);
    digests.set(contentDigest(bytes), index * DIGEST_BYTES);
    return members === undefined ? undefined : judgeBytes(validator, bytes, members);
  });
  const reply: JudgeReply = { id, digests, verdicts };
  parentPort!.postMessage(reply, [digests.buffer]);
});
