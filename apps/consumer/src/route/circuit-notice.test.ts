import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { CircuitOpening } from '@genesys-kafka/delivery';
import { createLogger } from '@genesys-kafka/runtime';
import { tellCircuit } from './circuit-notice.ts';

const nowMs = Date.UTC(2026, 0, 1);

function told(state: 'open' | 'closed', opening?: CircuitOpening, refuses = false) {
  const destination = new PassThrough();
  const log = createLogger({ name: 'test', level: 'warn', destination });
  tellCircuit(log, 'crm', { state, refuses, nowMs, ...(opening ? { opening } : {}) });
  const { level, sink, cause, httpStatus, askedMs, until, msg } = JSON.parse(String(destination.read())) as Record<
    string,
    unknown
  >;
  return [level, sink, cause, httpStatus, askedMs, until, msg];
}

test('a circuit that opens is told with its cause, what the target asked for, and until when; a cut wait as cut', () => {
  const failure = { cause: 'http-503', reason: 'the target answered 503', httpStatus: 503 };
  const until = '2026-01-01T00:05:00.000Z';
  const open = `circuit open until ${until}`;
  const forMs = 300_000;
  assert.deepEqual(told('open', { failure, forMs, askedMs: 300_000 }), [
    ...['warn', 'crm', 'http-503', 503, 300_000, until],
    open,
  ]);
  assert.deepEqual(told('open', { failure, forMs, askedMs: 1_790_000_000_000 }), [
    ...['warn', 'crm', 'http-503', 503, 1_790_000_000_000, until],
    `${open} (cut: the target asked for more)`,
  ]);
  assert.deepEqual(told('open', { failure, forMs }).slice(4), [undefined, until, open]);
  assert.deepEqual(told('open', { failure, forMs }, true), [
    ...['error', 'crm', 'http-503', 503, undefined, until],
    `the target refuses us: ${open}, and records wait`,
  ]);
  assert.deepEqual(told('closed').slice(5), [undefined, 'circuit closed']);
});
