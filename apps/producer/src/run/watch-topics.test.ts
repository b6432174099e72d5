import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '@genesys-kafka/kafka';
import { OperationalError } from '@genesys-kafka/resilience';
import { ManualClock } from '@genesys-kafka/resilience/manual-clock';
import { watchTopics } from './watch-topics.ts';

test('topics that were made anew end it, and nothing else that is wrong with them', async () => {
  const clock = new ManualClock();
  const answers: (OperationalError | undefined)[] = [
    undefined,
    new KafkaError('broker-unreachable', 'Away.'),
    new KafkaError('topic-missing', 'Gone for now.'),
    undefined,
    new OperationalError('ledger-missing', 'Made anew.'),
  ];
  let asked = 0;
  const assertSame = async () => {
    const answer = answers[asked++];
    if (answer) throw answer;
  };
  const watching = watchTopics(assertSame, 1000, clock, new AbortController().signal);
  watching.catch(() => undefined);
  await clock.advance(4999);
  assert.equal(asked, 4);
  await clock.advance(10_000);
  await assert.rejects(watching, { code: 'ledger-missing' });
  assert.equal(asked, 5);
});

test('it ends with its signal, and with a bug', async () => {
  const stop = new AbortController();
  const clock = new ManualClock();
  const stopped = watchTopics(async () => undefined, 1000, clock, stop.signal);
  stop.abort(new Error('stop'));
  await assert.rejects(stopped, /stop/);
  const bug = watchTopics(async () => Promise.reject(new TypeError('bug')), 1000, clock, new AbortController().signal);
  bug.catch(() => undefined);
  await clock.advance(1000);
  await assert.rejects(bug, /bug/);
});
