import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockWitnesses } from './clock-witnesses.ts';

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const settings = { clock: { maxSkewMs: 300_000 } };

/** Servers by how far they are ahead of us; undefined: without a date. */
function verdict(servers: Readonly<Record<string, number | undefined>>) {
  const witnesses = new ClockWitnesses();
  for (const [host, aheadMs] of Object.entries(servers)) {
    const date = aheadMs === undefined ? undefined : new Date(NOON_MS + aheadMs).toUTCString();
    witnesses.see({ host, headers: { date }, sentMs: NOON_MS, receivedMs: NOON_MS + 100 });
  }
  return witnesses.verdict(settings);
}

test('a clock is right where every server with a date agrees; the one that is furthest away decides', () => {
  assert.deepEqual(verdict({ api: 0, registry: 9000 }), { status: 'ok', message: 'within 9 s of api, registry' });
  const skewed = { code: 'clock-skew', message: /says.*registry says.*behind/ };
  assert.throws(() => verdict({ api: 301_000, registry: 900_000, login: -302_000 }), skewed);
});

test('a server without a date is no witness, and is told of', () => {
  assert.deepEqual(verdict({}), { status: 'skipped', message: 'no server answered with a date' });
  assert.equal(verdict({ api: undefined }).status, 'skipped');
  assert.deepEqual(verdict({ api: 0, registry: undefined }), {
    status: 'warning',
    message: 'within 0 s of api; no Date that can be read from registry',
  });
});
