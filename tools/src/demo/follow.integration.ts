import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startStack } from '@genesys-kafka/testing';
import { followOrganisation } from './follow.ts';
import { tellFollowed } from './follow-report.ts';
import { Processes } from './processes.ts';

test(
  'a day that passes in nine seconds is followed, read again and told, and the topic is what the organisation is',
  { timeout: 300_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'demo-follow-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    await using stack = await startStack({ signal: t.signal });
    await using processes = new Processes();
    const options = { days: 1, speed: 9600, perDay: 300 };
    const followed = await followOrganisation(options, stack, dir, processes, t.signal);
    const told: string[] = [];
    assert(
      tellFollowed(followed, (text) => told.push(text)),
      told.join('\n'),
    );
    const { readings, verdict, status } = followed;
    // Four windows of the day, four of the one after it in which what is still open goes on.
    assert.equal(readings.first.readings, 8);
    assert(readings.again.readings >= 2 && readings.again.unchanged > 0, told.join('\n'));
    assert(verdict.changed > 0 && verdict.records === readings.first.published + readings.again.published);
    // After the first hours of a day some of its own windows are due by the clock, which the organisation never reaches;
    // and where a midnight lies between, those of the next day.
    assert.match(status, /^ {2}\d{4}-\d\d-\d\d {2}▓▓·{0,2}$/m);
    assert.match(told.at(-1)!, /^SIGTERM: ended with 0 .* nothing was in work.*✔$/);
    const doubled = { ...verdict, faults: { ...verdict.faults, doubled: ['one'] } };
    assert.equal(
      tellFollowed({ ...followed, verdict: doubled }, () => undefined),
      false,
    );
  },
);
