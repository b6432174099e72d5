import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SinkGate, type DeliveryOutcome } from '@genesys-kafka/delivery';
import { systemClock } from '@genesys-kafka/resilience';
import { S3Sink } from '@genesys-kafka/sinks';
import { ObjectPartitionWriter } from './object-writer.ts';

const target = { topic: 't', partition: 0 };
const never = new AbortController().signal;
const signals = { stopping: never, signal: never };
const DAY = Date.parse('2026-01-01T23:59:59.000Z');

function writerOf(more: { readonly prefix?: string; readonly acceptChanges?: boolean } = {}) {
  const { prefix = '{dd}/', acceptChanges = false } = more;
  const calls: string[] = [];
  const answers: DeliveryOutcome['kind'][] = [];
  const sink = new S3Sink({
    ...{ endpoint: 'e', bucket: 'b', prefix, batch: { records: 9, bytes: 999, ageMs: 0 } },
    connect: async () => ({
      put: async ({ key }, body) => void calls.push(`put ${key} ${body.length}`),
      tryPut: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    }),
  });
  const put = sink.put.bind(sink);
  let failures = 0;
  sink.put = async (object, signal) => {
    const outcome = await put(object, signal);
    return failures-- > 0 ? { kind: 'retry', failure: { cause: 's3-unreachable', reason: 'no answer' } } : outcome;
  };
  // Waits cost nothing here.
  const clock = { ...systemClock, sleep: async () => undefined };
  const breaker = { errors: 1, over: 100, cooldownMs: 1, maxWaitMs: 1 };
  const writer = new ObjectPartitionWriter({
    ...{ target, groupId: 'g', sink, lane: 'normal', tag: 'tag', acceptChanges, clock },
    gate: new SinkGate({ concurrency: 4, breaker, clock }),
    onAnswer: ({ kind }) => answers.push(kind),
  });
  const add = async (offset: number, publishedMs = DAY) => {
    const record = { ...target, offset: BigInt(offset), timestampMs: publishedMs, key: null, value: null, headers: {} };
    const value = { kind: 'record', body: Buffer.from(`{"n":${offset}}`), contentType: 'application/json' } as const;
    await writer.add({ record, value, state: {} as never });
  };
  const declare = async (note: string) => calls.push(note) > 0;
  const lose = (count: number) => (failures = count);
  return { writer, add, calls, answers, declare, lose };
}

test('the batch is declared before its first object is put, and an object whose answer is lost is put again as it was', async () => {
  const { writer, add, calls, answers, declare, lose } = writerOf();
  await writer.begin(5n, undefined);
  await add(5);
  await add(6, DAY + 2000);
  lose(1);
  assert.equal(await writer.write({ first: 5n, end: 7n }, declare, signals), 2);
  assert.match(calls[0]!, /^batch=7:[0-9a-f]{24}$/);
  const [first, second, again] = calls.slice(1).sort();
  assert.match(first!, /^put 01\/t-0-00000000000000000005-tag\.ndjson\.gz \d+$/);
  assert.match(again!, /^put 02\/t-0-00000000000000000005-tag\.ndjson\.gz \d+$/);
  assert.equal(calls.length, 4);
  assert.equal(
    second,
    [first, again].find((put) => put === second),
    'the same bytes under the same key',
  );
  assert.deepEqual(answers.toSorted(), ['delivered', 'delivered', 'retry']);
});

test('nothing is put while the declaration is not kept, nor where the partition is given up meanwhile', async () => {
  const { writer, add, calls } = writerOf();
  await add(1);
  const stop = new AbortController();
  let asked = 0;
  const declare = async () => {
    asked += 1;
    if (asked === 3) stop.abort(new Error('given up'));
    return false;
  };
  const stopping = { stopping: stop.signal, signal: never };
  await assert.rejects(writer.write({ first: 1n, end: 2n }, declare, stopping), { message: 'given up' });
  assert.deepEqual(calls, []);
});

test('a batch whose partition is given up while the storage does not take it is not written: its offset must not move', async () => {
  const { writer, add, declare, lose } = writerOf();
  await add(1);
  await add(2, DAY + 2000);
  lose(1);
  const stop = new AbortController();
  const stopping = { stopping: stop.signal, signal: never };
  const giveUp = async (note: string) => {
    stop.abort(new Error('given up'));
    return declare(note);
  };
  await assert.rejects(writer.write({ first: 1n, end: 3n }, giveUp, stopping), { message: 'given up' });
});

test('a batch that was declared is made again without a word; one that comes out otherwise is not put, unless it is accepted', async () => {
  const first = writerOf();
  await first.add(1);
  await first.writer.write({ first: 1n, end: 2n }, first.declare, signals);
  const kept = { offset: 1n, note: `topic=x ${first.calls[0]} rules=1` };

  const same = writerOf();
  const { redo } = await same.writer.begin(1n, kept);
  assert.deepEqual(redo, { to: 2n, note: first.calls[0] });
  await same.add(1);
  await same.writer.write({ first: 1n, end: 2n }, same.declare, signals);
  assert.deepEqual(same.calls, first.calls.slice(1));

  for (const change of ['record', 'prefix', 'nothing left'] as const) {
    for (const acceptChanges of [false, true]) {
      const changed = writerOf({ acceptChanges, ...(change === 'prefix' ? { prefix: 'other/' } : {}) });
      await changed.writer.begin(1n, kept);
      if (change !== 'nothing left') await changed.add(1);
      if (change === 'record') await changed.add(2);
      const written = changed.writer.write({ first: 1n, end: 2n }, changed.declare, signals);
      if (acceptChanges) await written;
      else await assert.rejects(written, { code: 'batch-changed' });
      assert.equal(
        changed.calls.some((call) => call.startsWith('put')),
        acceptChanges && change !== 'nothing left',
        change,
      );
    }
  }
});
