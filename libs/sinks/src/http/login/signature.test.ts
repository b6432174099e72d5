import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { delivery } from '../../../fixtures/deliveries.ts';
import { httpSink, httpTarget, type Seen } from '../../../fixtures/http-target.ts';

const never = new AbortController().signal;
const PAGE = join(import.meta.dirname, '../../../../../docs/sinks/http.md');
const secret = 'c4n4ry-gehört-keinem';

type Verify = (request: object, body: Buffer, secret: string) => boolean;

/** The code that the page gives to whoever writes a receiver. */
async function codeOfThePage(): Promise<Verify> {
  const blocks = (await readFile(PAGE, 'utf8')).matchAll(/```js\n([\s\S]*?)```/g);
  const [code] = Array.from(blocks, ([, text]) => text!).filter((text) => text.includes('isFromUs'));
  const module = `${code!}\nexport { isFromUs };`;
  const { isFromUs } = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as { isFromUs: Verify };
  return isFromUs;
}

test('the receiver of the page takes what was sent in every form, and again after an answer of 503; and nothing else', async (t) => {
  const isFromUs = await codeOfThePage();
  const verified = ({ path, ...request }: Seen, key = secret) => isFromUs({ ...request, url: path }, request.body, key);
  const statuses = [503];
  const { seen, origin } = await httpTarget(t, () => ({ status: statuses.shift() ?? 200 }));
  const records = [1, 2, 3].map((ordinal) => delivery(ordinal, { name: 'Käthe\u2028 "😀"' }));
  const signature = { secret, header: 'x-signature', algorithm: 'sha256' } as const;
  const batch = { records: 10, bytes: 1e6, ageMs: 0 };
  const one = httpSink(t, { url: `${origin}/ü b?c=%2F&d=ß`, signature });
  await one.deliver(records.slice(0, 1), never);
  await one.deliver(records.slice(0, 1), never);
  for (const body of [{}, { format: 'ndjson' }, { envelope: '{"från":"us","items":{{items}}}' }] as const)
    await httpSink(t, { url: origin, method: 'PUT', batch, body, signature }).deliver(records, never);
  assert.deepEqual(
    seen.map(({ method, headers }) => [method, headers['record-version'] ?? '', kindOfKey(headers)]),
    [['POST', '1', 'job:1'], ['POST', '1', 'job:1'], ...Array.from({ length: 3 }, () => ['PUT', '', 'batch'])],
  );
  for (const request of seen) {
    assert.ok(verified(request), `${request.method} ${request.path}`);
    assert.ok(!verified(request, 'another secret'));
    assert.ok(!verified({ ...request, body: request.body.subarray(1) }));
  }
});

function kindOfKey(headers: Seen['headers']): string {
  return String(headers['idempotency-key']).replace(/^batch:.*/, 'batch');
}

test('SHA-512 signs the same lines', async (t) => {
  const { seen, origin } = await httpTarget(t);
  const signature = { secret, header: 'x-hub', algorithm: 'sha512' } as const;
  await httpSink(t, { url: `${origin}/in`, signature }).deliver([delivery(7)], never);
  const [{ headers, body }] = seen as [Seen];
  const [, seconds, hex] = /^t=(\d+),v1=([0-9a-f]{128})$/.exec(String(headers['x-hub']))!;
  const signed = `${seconds}\nPOST\n/in\njob:7\n7\n${body.toString('utf8')}`;
  assert.equal(hex, createHmac('sha512', secret).update(signed).digest('hex'));
});
