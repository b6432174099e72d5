import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { delivery } from '../../../fixtures/deliveries.ts';
import { httpSink, httpTarget } from '../../../fixtures/http-target.ts';

const never = new AbortController().signal;
const PAGE = '<!DOCTYPE html>\n<html><title>Log in</title>';

/** A sink whose target answers as it is told; what each answer means, in a word or two. */
async function setUp(t: TestContext, options: { readonly pages?: 'taken' } = {}) {
  let answer = { status: 200, type: '', body: '' };
  const { origin } = await httpTarget(t, () => ({
    ...{ status: answer.status, body: answer.body },
    headers: { 'content-type': answer.type },
  }));
  const sink = httpSink(t, { url: origin, ...options });
  const deliver = async (status: number, type: string, body: string) => {
    answer = { status, type, body };
    return (await sink.deliver([delivery(1)], never))[0]!;
  };
  const on = async (status: number, type: string, body = PAGE) => {
    const outcome = await deliver(status, type, body);
    return outcome.kind === 'delivered' ? outcome.kind : `${outcome.kind} ${outcome.failure.cause}`;
  };
  return { deliver, on };
}

test('an ingress that answers pages of HTML in place of the target makes retries, not dead letters and not deliveries', async (t) => {
  const { on } = await setUp(t);
  assert.equal(await on(200, 'text/html; charset=utf-8', 'OK'), 'delivered', 'a target may answer in HTML');
  assert.equal(await on(200, 'text/html'), 'retry html-answer', 'but not with a page');
  assert.equal(await on(200, 'application/json', '{}'), 'delivered');
  assert.equal(await on(200, 'Text/HTML; charset=utf-8', 'OK'), 'retry html-answer');
  for (const status of [404, 410, 415]) assert.equal(await on(status, 'text/html'), `retry http-${status}`);
  for (const status of [400, 413, 422]) assert.equal(await on(status, 'text/html'), `rejected http-${status}`);
  assert.equal(await on(410, 'application/json'), 'rejected http-410');
  assert.equal(await on(401, 'text/html'), 'misconfigured http-401');
});

test('where nothing but pages come the url leads elsewhere, or the target is known to take records so', async (t) => {
  for (const page of [PAGE, '\ufeff <HTML lang="en">', '<?xml version="1.0"?>\n<html xmlns="x">']) {
    const outcome = await (await setUp(t)).deliver(200, 'text/html', page);
    assert.ok(outcome.kind === 'misconfigured' && outcome.failure.cause === 'html-answer', JSON.stringify(outcome));
    assert.match(outcome.failure.reason, /200 with a page of HTML; correct the url, or set pages: taken/);
    assert.equal(await (await setUp(t, { pages: 'taken' })).on(200, 'text/html', page), 'delivered');
  }
  for (const words of ['<b>Thanks</b>', '', '<htmlx>', 'Not a <html> page'])
    assert.equal(await (await setUp(t)).on(200, 'text/html', words), 'delivered', words);
  assert.equal(await (await setUp(t)).on(200, 'text/plain', PAGE), 'delivered');
});
