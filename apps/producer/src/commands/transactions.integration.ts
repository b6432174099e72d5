/** What becomes of a transaction whose process is stopped or killed at the worst moment. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { REQUEST, RequestFollower, writeTransactionTimeout } from '../../fixtures/kafka-requests.ts';
import { runProducer, startProducer, writeArchive, type Ended, type Running } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished } from '../../fixtures/topics.ts';
import type { Report } from '../export/report.ts';

const RECORDS = 4000;
/** On the way to the broker, of about 1 MB in all: the records of a transaction that is still open by then. */
const MIDWAY_BYTES = 400_000;
const PATIENCE_MS = 150_000;

const servers = useServers({ proxied: true });
let written: Promise<string> | undefined;

/** One archive for all tests: each has topics of its own. */
async function archive(): Promise<string> {
  const path = join(servers.dir, 'archive.zip');
  return (written ??= writeArchive(path, ['--records', String(RECORDS)]).then(() => path));
}

/** The proxy in front of the one broker. */
const proxy = () => servers.stack.proxies[0]!;

async function start(t: TestContext, prefix: string, ...args: readonly string[]): Promise<Running> {
  const running = startProducer(['publish', await archive(), '--json', ...args], servers.env(prefix));
  // Also one that stands still.
  t.after(() => running.child.kill('SIGKILL'));
  return running;
}

/**
 * Resolves when `act` has been called: before the last chunk of a request that brings records to the broker goes on, once
 * so much has gone.
 */
async function midway(act: () => void, onClaim: (request: Buffer) => void = () => undefined): Promise<void> {
  const reached = Promise.withResolvers<undefined>();
  const follower = new RequestFollower();
  let sent = 0;
  proxy().watch(({ direction, bytes, connection }) => {
    if (direction !== 'toTarget') return 'forward';
    sent += bytes.length;
    const requests = follower.endedIn(connection, bytes);
    for (const request of requests) if (request.key === REQUEST.initProducerId) onClaim(request.bytes);
    if (sent > MIDWAY_BYTES && requests.some(({ key }) => key === REQUEST.produce)) {
      proxy().watch(undefined);
      act();
      reached.resolve(undefined);
    }
    return 'forward';
  });
  await reached.promise;
}

async function assertOnceEach(prefix: string, result: Ended): Promise<void> {
  assert.equal(result.status, 0, result.stderr);
  assert.equal((JSON.parse(result.stdout) as Report).records.published, RECORDS);
  const { records } = await readPublished(servers.client, prefix);
  assert.equal(
    new Set(records.map(({ source, ordinal }) => `${source} ${ordinal}`)).size,
    RECORDS,
    'records are missing',
  );
  assert.equal(records.length, RECORDS, 'records are there twice');
}

/** Offsets of the data topic behind a transaction that is open. */
async function openOffsets(prefix: string): Promise<bigint> {
  const hidden = await servers.client.admin.hidden(topicSpecs({ prefix }).data.name);
  return hidden.values().reduce((sum, offsets) => sum + offsets, 0n);
}

/** Resolves when a transaction is open on the data topic, or when none is. */
async function until(state: 'open' | 'closed', prefix: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while ((await openOffsets(prefix)) > 0n !== (state === 'open')) {
    assert(performance.now() < endMs, `no transaction is ${state} after ${PATIENCE_MS} ms`);
    await delay(100);
  }
}

test('a zombie: stopped in its midst, overtaken, and woken up, it ends with 1, taken over, and each record is there once', async (t) => {
  const prefix = uniquePrefix();
  const zombie = await start(t, prefix);
  await midway(() => zombie.child.kill('SIGSTOP'));
  const second = await start(t, prefix);
  const winner = await second.ended;
  assert.equal(zombie.child.exitCode, null);
  zombie.child.kill('SIGCONT');
  const loser = await zombie.ended;
  assert.equal(loser.status, 1, loser.stderr);
  assert.match(loser.stderr, new RegExp(`error: taken-over: Taken over by \\S+:${second.child.pid} `));
  assert.equal(loser.stdout, '');
  await assertOnceEach(prefix, winner);
});

for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  test(`${signal} while an archive is published ends with ${status}, and the next run completes it, each record once`, async (t) => {
    const prefix = uniquePrefix();
    // A transaction for each step: it is stopped between the first and the last of them.
    const config = join(servers.dir, 'small-transactions.yaml');
    await writeFile(config, 'kafka: { transaction: { maxBytes: 256KiB } }\n');
    const { child, ended } = await start(t, prefix, '--config', config);
    await midway(() => child.kill(signal));
    const result = await ended;
    assert.equal(result.status, status, result.stderr);
    assert.equal(result.stdout, '');
    assert.doesNotMatch(result.stderr, /error:|unexpected/);
    const left = await runProducer(['status'], servers.env(prefix));
    assert.match(left.stdout, /^[0-9a-f]+ {2}archive, last change .*\n {2}1 window: 1 publishing\n/);
    assert.match(left.stdout, /\n {2}publishing content-\S+, \d+ records\n/);
    await assertOnceEach(prefix, await (await start(t, prefix, '--config', config)).ended);
  });
}

for (const [what, verdict] of [
  ['and carried out', 'forward'],
  ['and lost on its way', 'drop'],
] as const) {
  test(`kill -9 when the end of a transaction is asked for, ${what}: the next run decides from the log, each record once`, async (t) => {
    const prefix = uniquePrefix();
    const first = await start(t, prefix);
    const follower = new RequestFollower();
    let sent = 0;
    let killed = false;
    proxy().watch(({ direction, bytes, connection }) => {
      // No answer comes any more, and of what the process has sent nothing but this.
      if (killed) return 'drop';
      if (direction !== 'toTarget') return 'forward';
      sent += bytes.length;
      const asksForEnd = follower.endedIn(connection, bytes).some(({ key }) => key === REQUEST.endTxn);
      if (sent < MIDWAY_BYTES || !asksForEnd) return 'forward';
      killed = first.child.kill('SIGKILL');
      return verdict;
    });
    assert.equal((await first.ended).status, null);
    proxy().watch(undefined);
    proxy().resetAll();
    // An end that was asked for is carried out without its asker; one that was not leaves the transaction open.
    if (verdict === 'forward') await until('closed', prefix);
    else assert((await openOffsets(prefix)) > 0n, 'the transaction was ended');
    await assertOnceEach(prefix, await (await start(t, prefix)).ended);
  });
}

test('a transaction that the coordinator aborts under a run that stands still: the same run goes on, each record once', async (t) => {
  const prefix = uniquePrefix();
  const config = join(servers.dir, 'short.yaml');
  await writeFile(config, 'kafka: { transaction: { maxAge: 1s } }\n');
  const { child, ended } = await start(t, prefix, '--config', config);
  await midway(
    () => child.kill('SIGSTOP'),
    // Long enough to be seen open.
    (request) => writeTransactionTimeout(request, 10_000),
  );
  // The broker may not have read yet what it was sent last.
  await until('open', prefix);
  await until('closed', prefix);
  child.kill('SIGCONT');
  const result = await ended;
  assert.match(result.stderr, /publishing was interrupted/);
  await assertOnceEach(prefix, result);
});
