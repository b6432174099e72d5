import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { createRecordValidator } from '@genesys-kafka/conversation';
import { decodeBatch } from '@genesys-kafka/kafka';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { DEAD_LETTER_HEADER } from '@genesys-kafka/topics';
import { ENCODE_OPTIONS, staged } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversation, conversations } from '../../fixtures/records.ts';
import { replyOf } from './reply.ts';
import { stageSegment } from './stage-segment.ts';
import type { RecordFacts, StagedStep } from './staged-step.ts';
import { StagingThread } from './staging-thread.ts';
import { PLACE_NUMBERS, type ThreadRequest } from './thread-messages.ts';
import { DEADLINE_MS, type ThreadWorker } from './thread-session.ts';

type Fault = 'hangs' | 'runs out of memory' | 'ends';

const VALIDATOR = createRecordValidator();

/** A thread without a thread: it validates on the spot, until a record whose text names a fault. */
class FakeWorker extends EventEmitter {
  isDone = false;
  /** One request after the other. */
  #last = Promise.resolve();

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

  postMessage(request: ThreadRequest): void {
    this.#last = this.#last.then(() => this.#work(request));
  }

  #work(request: ThreadRequest): void {
    if (this.isDone) return;
    const { buffer, places } = request.segment;
    this.emit('message', 'begun');
    for (let at = 0; at < places.length && request.costly === undefined; at += PLACE_NUMBERS) {
      const text = Buffer.from(buffer, places[at], places[at + 1]).toString();
      const fault = /"fault":"([a-z ]+)"/.exec(text)?.[1] as Fault | undefined;
      if (fault === undefined) continue;
      this.#fail(fault);
      return;
    }
    this.emit('message', replyOf(stageSegment(VALIDATOR, request)));
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
  const thread = new StagingThread({}, Promise.resolve(ENCODE_OPTIONS), start, clock);
  return { workers, clock, thread };
}

/** Lets time pass while something waits for it; what a thread answers it has answered by then: a fake one within a turn. */
async function settled<T>(
  work: Promise<T>,
  clock: ManualClock,
  turn: () => Promise<unknown> = setImmediate,
): Promise<T> {
  const state = { isOpen: true };
  const done = work.finally(() => (state.isOpen = false));
  done.catch(() => undefined);
  while (state.isOpen) {
    await turn();
    if (clock.sleeping > 0) await clock.advance(2 * DEADLINE_MS);
  }
  return done;
}

function scan(records: readonly string[]): ScannedRecord[] {
  const scanner = new RecordScanner({ maxRecordBytes: 1_000_000, maxDepth: 20 });
  return [...scanner.push(arrayOf(records)), ...scanner.end()];
}

/** Keys on the topics, with the cause of those that are dead letters, in the order of their ordinals. */
async function outcomesOf(steps: readonly StagedStep[]): Promise<readonly (readonly [key: string, cause?: string])[]> {
  const found = new Map<number, readonly [string, string?]>();
  for (const { topic, batch } of steps.flatMap(({ batches }) => batches)) {
    for (const { key, headers } of await decodeBatch(batch)) {
      const cause = topic === 'dead' ? String(headers?.[DEAD_LETTER_HEADER.cause]) : undefined;
      found.set(Number(String(headers?.ordinal)), cause === undefined ? [String(key)] : [String(key), cause]);
    }
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([, outcome]) => outcome);
}

for (const fault of ['hangs', 'runs out of memory', 'ends'] satisfies Fault[]) {
  test(`a record on which the thread ${fault} is too costly; all others, of its segment and of others, are staged`, async () => {
    const { thread, workers, clock } = fakeThread();
    const [bad, good] = [conversation('bad', { fault }), conversations('good', 30)];
    const records = scan([...good.slice(0, 13), bad, 'null', ...good.slice(13, 20), bad, ...good.slice(20)]);
    const parts = Array.from({ length: 7 }, (_, index) => records.slice(index * 5, index * 5 + 5));
    const answers = await settled(Promise.all(parts.map((part) => staged([part], 0, thread))), clock);
    const [expected, found] = [await staged([records]), answers.flat()];
    assert.deepEqual(
      Buffer.concat(found.map(({ facts }) => digestsOf(facts))),
      Buffer.concat(expected.map(({ facts }) => digestsOf(facts))),
    );
    const outcomes = (await outcomesOf(expected)).map((outcome, index) => {
      return index === 13 || index === 22 ? [`source:${index}`, 'record-too-costly'] : outcome;
    });
    assert.deepEqual(await outcomesOf(found), outcomes);
    // Once with its segment, once alone, for each of the two.
    assert(workers.length <= 5, `${workers.length} threads`);
    await thread[Symbol.asyncDispose]();
  });
}

function digestsOf(facts: RecordFacts): Buffer {
  return Buffer.concat(Array.from({ length: facts.count }, (_, index) => facts.digest(index)));
}

test('a thread that cannot start, and one that meets a bug, end the run: no record is to blame', async () => {
  const early = fakeThread();
  const workers = early.workers;
  workers[0]!.removeAllListeners('message');
  const waiting = assert.rejects(staged([scan(conversations('a', 1))], 0, early.thread), /before it began/);
  await setImmediate();
  workers[0]!.emit('exit', 1);
  await waiting;

  const { thread, workers: running } = fakeThread();
  await setImmediate();
  running[0]!.isDone = true;
  const asked = assert.rejects(staged([scan(conversations('a', 1))], 0, thread), /a bug/);
  await setImmediate();
  running[0]!.emit('error', new Error('a bug'));
  await asked;
});

test('a real thread that hangs is ended, and another one takes its place', async () => {
  const pattern = { type: 'string', pattern: '^(a+)+$' };
  const schema = JSON.stringify({ type: 'object', properties: { x: pattern } });
  const clock = new ManualClock();
  await using thread = new StagingThread({ schema }, Promise.resolve(ENCODE_OPTIONS), undefined, clock);
  const hanging = scan([conversation('a', { x: `${'a'.repeat(60)}!` })]);
  const [step] = await settled(staged([hanging], 0, thread), clock, async () => setTimeout(1000));
  assert.deepEqual(await outcomesOf([step!]), [['source:0', 'record-too-costly']]);
  const [next] = await staged([scan([conversation('b', { x: 'aa' })])], 0, thread);
  assert.deepEqual(await outcomesOf([next!]), [['b']]);
});
