import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOf } from './profile.ts';

const node = (id: number, functionName: string, url: string, children: readonly number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
});

test('time is charged to the innermost room, idling to nobody', () => {
  const profile = {
    nodes: [
      node(1, '(root)', '', [2, 7, 8]),
      node(2, 'scan', 'file:///x/libs/archive/src/unpack.ts', [3, 5]),
      node(3, 'processCallback', 'node:zlib', [4]),
      node(4, 'set', ''),
      node(5, 'emit', 'node:events', [6]),
      node(6, 'send', 'file:///x/node_modules/@scope/client/lib/send.js'),
      node(7, '(garbage collector)', ''),
      node(8, '(idle)', ''),
    ],
    samples: [2, 3, 4, 5, 6, 7, 8],
    timeDeltas: [1e6, 1e6, 1e6, 1e6, 2e6, 2e6, 9e6],
  };
  assert.deepEqual(timeOf('main', profile), {
    thread: 'main',
    busySeconds: 8,
    places: [
      { name: 'archive/unpack', share: 0.25 },
      { name: 'zlib and zstd', share: 0.25 },
      { name: '@scope/client', share: 0.25 },
      { name: 'collecting garbage', share: 0.25 },
    ],
  });
});
