import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PauseEntry } from './control-entry.ts';
import { runStatus } from './run-status.ts';

const routes = ['voice', 'mail', 'chat'].map((route) => ({ route, groupId: `g.${route}` }));

/** What a gate tells of its circuit. */
function gate(state: 'closed' | 'open' | 'half-open', nextProbeInMs?: number) {
  const failure = { cause: 'http-503', reason: 'it answered 503' };
  return { gate: { state, trouble: nextProbeInMs === undefined ? undefined : { failure, nextProbeInMs } } };
}

test('routes that are paused, by whom and why, and circuits that are not closed, with the next probe', () => {
  const pauses = new Map<string, PauseEntry>([
    ['g.voice', { state: 'paused', at: '2026-01-01T00:00:00.000Z', by: 'ann', reason: 'crm moves' }],
    ['g.chat', { state: 'paused', at: '2026-01-02T00:00:00.000Z', by: 'bob' }],
  ]);
  const gates = { crm: gate('open', 4001), lake: gate('half-open', 0), disk: gate('closed', 7), mail: gate('closed') };
  const byName = new Map(Object.entries(gates)) as unknown as Parameters<typeof runStatus>[2]['byName'];
  const status = runStatus(routes, { pauseOf: (groupId) => pauses.get(groupId) }, { byName });
  const why = { cause: 'http-503', reason: 'it answered 503' };
  assert.deepEqual(status, {
    paused: [
      { route: 'voice', since: '2026-01-01T00:00:00.000Z', by: 'ann', reason: 'crm moves' },
      { route: 'chat', since: '2026-01-02T00:00:00.000Z', by: 'bob' },
    ],
    circuits: [
      { sink: 'crm', state: 'open', ...why, nextProbeSeconds: 5 },
      { sink: 'lake', state: 'half-open', ...why, nextProbeSeconds: 0 },
    ],
  });
});
