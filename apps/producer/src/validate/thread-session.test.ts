import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { conversationSchemaText, createRecordValidator } from '@genesys-kafka/conversation';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { validated } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversation, conversations } from '../../fixtures/records.ts';
import { validateRecord } from './batch-validator.ts';
import { DIGEST_BYTES, type ThreadReply, type ThreadRequest } from './thread-messages.ts';
import { DEADLINE_MS, type ThreadWorker } from './thread-session.ts';
import { ValidatingThread } from './validating-thread.ts';

type Fault = 'hangs' | 'runs out of memory' | 'ends';

const VALIDATOR = createRecordValidator();

/** A thread without a thread: it validates on the spot, until a record whose text names a fault. */
class FakeWorker extends EventEmitter {
  isDone = false;

  ref(): void {
    // Holds nothing.
  }

  unref(): void {
    // Holds nothing.
  }

  async terminate(): Promise<number> {
    this.isDone = true;
    return 1;
  }

  postMessage({ buffer, places }: ThreadRequest): void {
    const digests = new Uint8Array(places.length * DIGEST_BYTES);
    const outcomes = places.map(({ start, length, members }, index) => {
      const bytes = Buffer.from(buffer, start, length);
      const fault = /"fault":"([a-z ]+)"/.exec(bytes.toString())?.[1] as Fault | undefined;
      if (fault !== undefined && !this.isDone) this.#fail(fault);
      const { digest, outcome } = validateRecord(VALIDATOR, bytes, members);
      digests.set(digest, index * DIGEST_BYTES);
      return outcome;
    });
    if (!this.isDone) this.emit('message', { digests, outcomes } satisfies ThreadReply);
  }

  #fail(fault: Fault): void {
    this.isDone = true;
    if (fault === 'hangs') return;
    const error = Object.assign(new Error('out of memory'), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
    if (fault === 'runs out of memory') queueMicrotask(() => this.emit('error', error));
    queueMicrotask(() => this.emit('exit', 1));
  }
}

function fakeThread() {
  const workers: FakeWorker[] = [];
  const clock = new ManualClock();
  const start = () => {
    const worker = new FakeWorker();
    workers.push(worker);
    queueMicrotask(() => worker.emit('message', 'ready'));
    return worker as unknown as ThreadWorker;
  };
  return { workers, clock, thread: new ValidatingThread({ schema: conversationSchemaText }, start, clock) };
}

/** Lets time pass while something waits for it; all that a fake thread answers it has answered by then. */
async function settled<T>(work: Promise<T>, clock: ManualClock): Promise<T> {
  const state = { isOpen: true };
  const done = work.finally(() => (state.isOpen = false));
  done.catch(() => undefined);
  while (state.isOpen) {
    await setImmediate();
    if (clock.sleeping > 0) await clock.advance(DEADLINE_MS);
  }
  return done;
}

function scan(records: readonly string[]): ScannedRecord[] {
  const scanner = new RecordScanner({ maxRecordBytes: 1_000_000, maxDepth: 20 });
  return [...scanner.push(arrayOf(records)), ...scanner.end()];
}

for (const fault of ['hangs', 'runs out of memory', 'ends'] satisfies Fault[]) {
  test(`a record on which the thread ${fault} is too costly; all others, of its batch and of others, are validated`, async () => {
    const { thread, workers, clock } = fakeThread();
    const [bad, good] = [conversation('bad', { fault }), conversations('good', 30)];
    const records = scan([...good.slice(0, 13), bad, 'null', ...good.slice(13, 20), bad, ...good.slice(20)]);
    const parts = Array.from({ length: 7 }, (_, index) => records.slice(index * 5, index * 5 + 5));
    const answers = await settled(Promise.all(parts.map((part) => thread.validate(part, 0))), clock);
    const [expected, found] = [validated(records), answers.flat()];
    for (const [index, record] of found.entries()) {
      assert.deepEqual(record.digest, expected[index]!.digest);
      if (index !== 13 && index !== 22) assert.deepEqual(record.outcome, expected[index]!.outcome);
    }
    for (const index of [13, 22]) {
      const { outcome } = found[index]!;
      assert(outcome?.ok === false);
      assert.equal(outcome.code, 'record-too-costly');
      assert.match(outcome.reasons[0]!, /^\/: the validating thread /);
    }
    // Once with its batch, once alone, for each of the two.
    assert(workers.length <= 5, `${workers.length} threads`);
    await thread[Symbol.asyncDispose]();
  });
}

test('a thread that cannot start, and one that meets a bug, end the run: no record is to blame', async () => {
  const early = fakeThread();
  const workers = early.workers;
  workers[0]!.removeAllListeners('message');
  const waiting = assert.rejects(early.thread.validate(scan(conversations('a', 1)), 0), /before it began/);
  workers[0]!.emit('exit', 1);
  await waiting;

  const { thread, workers: running } = fakeThread();
  await setImmediate();
  running[0]!.isDone = true;
  const asked = assert.rejects(thread.validate(scan(conversations('a', 1)), 0), /a bug/);
  running[0]!.emit('error', new Error('a bug'));
  await asked;
});

test('a real thread that hangs is ended, and another one takes its place', async () => {
  const pattern = { type: 'string', pattern: '^(a+)+$' };
  const schema = JSON.stringify({ type: 'object', properties: { x: pattern } });
  const clock = new ManualClock();
  await using thread = new ValidatingThread({ schema }, undefined, clock);
  const [hanging] = await settled(thread.validate(scan([conversation('a', { x: `${'a'.repeat(60)}!` })]), 0), clock);
  assert(hanging?.outcome?.ok === false && hanging.outcome.code === 'record-too-costly');
  assert.match(hanging.outcome.reasons[0]!, /gave no answer in 30 s/);
  const [next] = await thread.validate(scan([conversation('b', { x: 'aa' })]), 0);
  assert(next?.outcome?.ok);
});
