import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OffsetTracker } from './offset-tracker.ts';

test('the position is the lowest unfinished offset, whatever the order of finishing', () => {
  // Each record: the gap before it (markers, compaction) and its rank in the order of finishing.
  const records = fc.array(fc.record({ gap: fc.bigInt(1n, 4n), rank: fc.nat() }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(records, fc.bigInt(0n, 5n), (shape, tail) => {
      const tracker = new OffsetTracker();
      let offset = 100n;
      const begun = shape.map(({ gap, rank }) => {
        offset += gap;
        tracker.begin(offset);
        return { offset, rank };
      });
      tracker.cover(offset + 1n + tail);
      const open = new Set(begun.map((record) => record.offset));
      for (const record of [...begun].sort((a, b) => a.rank - b.rank)) {
        tracker.finish(record.offset);
        open.delete(record.offset);
        const lowest = begun.find((other) => open.has(other.offset));
        assert.equal(tracker.position, lowest ? lowest.offset : offset + 1n + tail);
        assert.equal(tracker.unfinished, open.size);
      }
    }),
  );
});

test('a fetch of markers alone moves the position, but not past an unfinished record', () => {
  const tracker = new OffsetTracker();
  assert.equal(tracker.position, undefined);
  tracker.cover(7n);
  assert.equal(tracker.position, 7n);
  tracker.begin(7n);
  tracker.cover(12n);
  assert.equal(tracker.position, 7n);
  tracker.finish(7n);
  assert.equal(tracker.position, 12n);
});

test('a record finished twice, or begun out of order, is a bug and says so', () => {
  const tracker = new OffsetTracker();
  tracker.begin(3n);
  tracker.begin(4n);
  tracker.finish(4n);
  assert.throws(() => tracker.finish(4n), /twice/);
  assert.throws(() => tracker.begin(4n), /begun after/);
});
