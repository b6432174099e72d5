import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBytes, parseDurationMs, parseInstantMs, parseRatio } from './quantities.ts';

test('quantities mean what they say', () => {
  const read = (parse: (text: string) => number | undefined, texts: string) =>
    texts.split(' ').map((text) => parse(text));
  assert.deepEqual(
    read(parseDurationMs, '5s 1m 10m 1h 1d 500ms 0s 1h30m 1m30s250ms 90m'),
    [5000, 60_000, 600_000, 3_600_000, 86_400_000, 500, 0, 5_400_000, 90_250, 5_400_000],
  );
  assert.deepEqual(
    read(parseBytes, '16MiB 16MB 64KiB 1.5GiB 10B 1kB'),
    [16_777_216, 16_000_000, 65_536, 1_610_612_736, 10, 1000],
  );
  assert.deepEqual(read(parseRatio, '5% 0% 100% 0.5%'), [0.05, 0, 1, 0.005]);
  assert.deepEqual(
    read(parseInstantMs, '2026-01-31 2026-01-31T08:00:00Z 2026-01-31T08:00Z 2026-01-31T08:00:00.250+02:00'),
    [Date.UTC(2026, 0, 31), Date.UTC(2026, 0, 31, 8), Date.UTC(2026, 0, 31, 8), Date.UTC(2026, 0, 31, 6, 0, 0, 250)],
  );
});

test('what could mean several things, or nothing, is refused', () => {
  for (const text of ['', '5', '5 s', '-5s', 's', '5S', '1m1h', '5sec', '1e3s', '٥s', '5s5s', '1.5h']) {
    assert.equal(parseDurationMs(text), undefined, text);
  }
  for (const text of ['', '16', '16 MiB', '16M', '-1B', '16mib', 'MiB', '999999999999TiB']) {
    assert.equal(parseBytes(text), undefined, text);
  }
  for (const text of ['', '5', '101%', '-1%', '%', '5 %']) assert.equal(parseRatio(text), undefined, text);
  for (const text of [
    '',
    '2026-02-30',
    '2026-13-01',
    '2026-1-1',
    '2026-01-31T08:00:00',
    '2026-01-31 08:00Z',
    '31.01.2026',
    '2026-01-31T25:00Z',
    'today',
  ]) {
    assert.equal(parseInstantMs(text), undefined, text);
  }
});

test('any span or amount that is written is read back, and any text gives a number or undefined', () => {
  fc.assert(fc.property(fc.nat(999_999_999), (n) => assert.equal(parseDurationMs(`${n}s`), n * 1000)));
  fc.assert(fc.property(fc.nat(999_999), (n) => assert.equal(parseBytes(`${n}KiB`), n * 1024)));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.:TZ+-]{0,20}[a-zA-Z%]{0,3}$/)), (text) => {
      for (const parse of [parseDurationMs, parseBytes, parseRatio, parseInstantMs]) {
        const value = parse(text);
        assert.ok(
          value === undefined || Number.isSafeInteger(value) || (value >= 0 && value <= 1),
          `${text}: ${value}`,
        );
      }
    }),
  );
});
