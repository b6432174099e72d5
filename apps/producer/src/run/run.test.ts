import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupHandler } from '@genesys-kafka/kafka';
import type { LaneOptions } from '@genesys-kafka/ledger';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import type { Logger } from '@genesys-kafka/runtime';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { sourceOptions } from '../../fixtures/memory-lane.ts';
import { LEDGER, MemoryLedger } from '../../fixtures/memory-ledger.ts';
import { fakeContract, READING } from '../../fixtures/window-bench.ts';
import type { ProducerContext } from '../export/context.ts';
import { SETTINGS } from '../settings.ts';
import { followOf } from './follow.ts';
import { Run } from './run.ts';

const START_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const LIMITS = { transactionBytes: 1e6, transactionMs: 1000, bufferBytes: 1e6, stepBytes: 1e5 };
const nothing = () => undefined;

test('a window that ends while the run is being stopped is not left: it is told as read', async () => {
  const clock = new ManualClock(START_MS + 1.5 * DAY_MS);
  const settings = loadSettings(SETTINGS, { env: {} });
  const windows = { ...settings.windows, fromMs: START_MS, sizeMs: DAY_MS, rereads: [] };
  const follow = followOf({ ...settings, windows }, {}, clock.nowMs());
  const client = new MemoryLedger().client();
  const identity = { transactionalId: 't', ledger: LEDGER, keyPrefix: 'run/' };
  const context = {
    ...{ ...READING, source: sourceOptions() },
    runGroup: () => ({
      start: async (handler: GroupHandler) =>
        handler.onAssigned?.([{ topic: 'ledger', partition: follow.laneOf(START_MS) }]),
      pause: nothing,
      stop: async () => undefined,
    }),
    runLane: (_: number, signal: AbortSignal): LaneOptions => ({ client, identity, limits: LIMITS, signal, clock }),
    digests: nothing,
    assertSameTopics: async () => undefined,
  } as unknown as ProducerContext;
  const [isRead, mayEnd] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const contract = {
    ...fakeContract({ page: async () => Buffer.from('{"conversations":[]}') }, []),
    // Its last line is committed by then.
    release: async () => {
      isRead.resolve(undefined);
      await mayEnd.promise;
    },
  };
  const log = { info: nothing, warn: nothing, debug: nothing } as unknown as Logger;
  const run = new Run({ context, contract, follow, clock, maxSkewMs: 0, log, onWindow: nothing, onShare: nothing });
  const stop = new AbortController();
  const ended = run.until(stop.signal);
  await isRead.promise;
  stop.abort(new Error('stop'));
  mayEnd.resolve(undefined);
  const { windows: told, inWork, isWhole } = await ended;
  assert.deepEqual([told, inWork, isWhole], [{ done: 1, failed: 0, split: 0 }, [], true]);
});
