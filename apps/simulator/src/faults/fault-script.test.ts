import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultScriptError } from './fault-rules.ts';
import { FaultScript } from './fault-script.ts';

test('a rule passes `after` requests, hits `times`, and then is spent', () => {
  const script = new FaultScript(1);
  script.add([{ on: 'status', after: 2, times: 2, do: { kind: 'latency', ms: 5 } }]);
  const hits = Array.from({ length: 6 }, () => script.take('status', 'GET', '/x').length);
  assert.deepEqual(hits, [0, 0, 1, 1, 0, 0]);
  assert.deepEqual(script.take('submit', 'POST', '/x'), []);
  assert.deepEqual(
    script.report().map(({ seen, hits: hit }) => [seen, hit]),
    [[6, 2]],
  );
});

test('a path pattern matches by method and wildcard; dots and question marks in it are only themselves', () => {
  const script = new FaultScript(1);
  script.add({ rules: [{ on: 'GET /api/v2/jobs/*.x', times: 'always', do: { kind: 'reset' } }] });
  assert.equal(script.take('status', 'GET', '/api/v2/jobs/1.x').length, 1);
  assert.equal(script.take('status', 'POST', '/api/v2/jobs/1.x').length, 0);
  assert.equal(script.take('status', 'GET', '/api/v2/jobs/1_x').length, 0);
});

test('a share hits about so many, the same ones for the same seed', () => {
  const run = () => {
    const script = new FaultScript(9);
    script.add([{ on: 'results', times: 'always', share: 0.3, do: { kind: 'empty-page' } }]);
    return Array.from({ length: 500 }, () => script.take('results', 'GET', '/').length);
  };
  const hits = run().reduce((sum, hit) => sum + hit, 0);
  assert.ok(hits > 110 && hits < 190, `${hits} of 500`);
  assert.deepEqual(run(), run());
});

test('every mistake is named with its path, and then no rule is added', () => {
  const script = new FaultScript(1);
  const mistakes = {
    rules: [
      { on: 'file', do: { kind: 'latency', ms: 1 } },
      { on: 'tokn', do: { kind: 'latency', ms: -1 } },
      { on: 'token', do: { kind: 'cursor-loop' } },
      { on: 'file', do: { kind: 'latency', ms: 1, foo: 1 } },
      { on: 'file', times: 0, do: { kind: 'nonsense' } },
    ],
  };
  assert.throws(
    () => script.add(mistakes as never),
    (error) => {
      assert.ok(error instanceof FaultScriptError);
      const paths = error.problems.map((problem) => problem.split(':', 1)[0]);
      assert.deepEqual(
        new Set(paths),
        new Set(['rules.1.on', 'rules.1.do.ms', 'rules.2.do.kind', 'rules.3.do', 'rules.4.times', 'rules.4.do.kind']),
      );
      return true;
    },
  );
  assert.equal(script.report().length, 0);
});
