import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationalError } from '@genesys-kafka/resilience';
import { runChecks, type Check } from './check.ts';
import type { Session } from './session.ts';

const fails = (scope: 'run' | 'usage'): Check => ({
  name: `a ${scope} check`,
  run: async () => {
    throw new OperationalError('thing-broken', 'The thing is broken. Mend it.', { scope });
  },
});
const fine: Check = { name: 'fine', run: async () => 'all there' };
const skipped: Check = { name: 'other', run: async () => ({ status: 'skipped', message: 'nothing set' }) };

async function check(checks: readonly Check[], signal = new AbortController().signal) {
  const lines: string[] = [];
  let told: unknown;
  const session = {
    signal,
    say: (...more: string[]) => void lines.push(...more),
    tell: async (document: unknown) => {
      told = document;
    },
  } as unknown as Session<unknown>;
  return { status: await runChecks(session, checks), lines, told };
}

test('every check is tried and told of, in one shape', async () => {
  const { status, lines, told } = await check([fails('run'), fine, skipped]);
  assert.equal(status, 1);
  assert.deepEqual(told, {
    ok: false,
    checks: [
      { check: 'a run check', status: 'failed', message: 'thing-broken: The thing is broken. Mend it.' },
      { check: 'fine', status: 'ok', message: 'all there' },
      { check: 'other', status: 'skipped', message: 'nothing set' },
    ],
  });
  assert.deepEqual(lines, [
    '✖ a run check  thing-broken: The thing is broken. Mend it.',
    '✔ fine         all there',
    '- other        nothing set',
  ]);
});

test('0 where nothing failed, 2 where it was the configuration, whatever else failed', async () => {
  assert.equal((await check([fine, skipped])).status, 0);
  assert.equal((await check([fails('usage'), fails('run')])).status, 2);
});

test('a bug and an interruption are no failed checks', async () => {
  const bug = { name: 'bug', run: () => Promise.reject(new TypeError('x')) };
  await assert.rejects(check([bug]), TypeError);
  const abort = new AbortController();
  const cut: Check = {
    name: 'cut',
    run: async () => {
      abort.abort(new Error('stop'));
      throw new OperationalError('gone', 'Gone.');
    },
  };
  await assert.rejects(check([cut, fine], abort.signal), /stop/);
});
