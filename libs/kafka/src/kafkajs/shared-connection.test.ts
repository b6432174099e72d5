import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedConnection } from './shared-connection.ts';

function setUp() {
  const connections: { open: boolean; disconnect(): Promise<void> }[] = [];
  const shared = new SharedConnection(async () => {
    const connection = {
      open: true,
      disconnect: async () => {
        connection.open = false;
      },
    };
    connections.push(connection);
    return connection;
  });
  return { shared, open: () => connections.map(({ open }) => open) };
}

test('a question that fails does not close the connection under the others: the last of them does', async () => {
  const { shared, open } = setUp();
  const slow = Promise.withResolvers<string>();
  const pending = shared.ask(() => slow.promise);
  await assert.rejects(
    shared.ask(async () => Promise.reject(new Error('no leader'))),
    /no leader/,
  );
  assert.deepEqual(open(), [true]);
  await shared.ask(async () => 'on a new one');
  assert.deepEqual(open(), [true, true]);
  slow.resolve('answer');
  assert.equal(await pending, 'answer');
  await new Promise(setImmediate);
  assert.deepEqual(open(), [false, true]);
});

test('a connection that is not broken is kept, one that could not be made is tried again, close() ends it', async () => {
  const { shared, open } = setUp();
  const refusal = async () => Promise.reject(new Error('not authorised'));
  await assert.rejects(shared.ask(refusal, () => false));
  await shared.ask(async () => undefined);
  assert.deepEqual(open(), [true]);
  await shared.close();
  assert.deepEqual(open(), [false]);
  let tries = 0;
  const late = new SharedConnection(async () => {
    tries += 1;
    if (tries === 1) throw new Error('refused');
    return { disconnect: async () => undefined };
  });
  // Whatever its verdict: that is of what was asked, not of the connection.
  await assert.rejects(
    late.ask(
      async () => 1,
      () => false,
    ),
    /refused/,
  );
  assert.equal(await late.ask(async () => 1), 1);
  await late.close();
  await assert.rejects(
    late.ask(async () => 1),
    /closed/,
  );
});
