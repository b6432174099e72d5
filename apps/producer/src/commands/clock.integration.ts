import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readToEnd } from '@genesys-kafka/kafka';
import { uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { runProducer } from '../../fixtures/processes.ts';
import { arrayOf, conversation, conversations } from '../../fixtures/records.ts';
import { useServers } from '../../fixtures/servers.ts';

const servers = useServers();

const TEN_DAYS_MS = 864_000_000;

for (const [what, offMs] of [
  ['slow', -TEN_DAYS_MS],
  ['fast', TEN_DAYS_MS],
] as const) {
  test(`records of a producer whose clock is ${what} bear the broker's time, by which retention deletes`, async () => {
    const prefix = uniquePrefix();
    const file = join(servers.dir, `${what}.json`);
    await writeFile(file, arrayOf([...conversations(what, 20), conversation('invalid', { participants: 1 })]));
    const shifted = `data:text/javascript,const%20now=Date.now;Date.now=()=>now()+(${offMs})`;
    const config = join(servers.dir, 'config.yaml');
    // As far as an operator may go: the check of the clock lets ten days pass.
    await writeFile(config, 'clock: { maxSkew: 30d }\n');
    const beganMs = Date.now();
    const refused = await runProducer(['publish', file], {
      ...servers.env(prefix),
      NODE_OPTIONS: `--import=${shifted}`,
    });
    assert.match(refused.stderr, /^error: clock-skew: .* 10 days (behind|ahead)/m);
    assert.equal(refused.status, 1);
    const ended = await runProducer(['publish', file, '--config', config, '--json'], {
      ...servers.env(prefix),
      NODE_OPTIONS: `--import=${shifted}`,
    });
    assert.equal(ended.status, 3, ended.stderr);
    const { data, deadLetters, ledger } = topicSpecs({ prefix });
    for (const { name } of [data, deadLetters, ledger]) {
      const timestamps: number[] = [];
      const { partitions } = (await servers.client.admin.describeTopic(name))!;
      for (let partition = 0; partition < partitions; partition += 1) {
        for await (const { records } of readToEnd(servers.client, { topic: name, partition })) {
          timestamps.push(...records.map(({ timestampMs }) => timestampMs));
        }
      }
      assert.ok(timestamps.length > 0, name);
      for (const ms of timestamps)
        assert.ok(Math.abs(ms - beganMs) < TEN_DAYS_MS / 2, `${name}: ${new Date(ms).toISOString()}`);
    }
  });
}
