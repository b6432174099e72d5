import assert from 'node:assert/strict';
import { test } from 'node:test';
import { genesys, json, never } from '../fixtures/genesys-server.ts';
import { GenesysError } from './errors.ts';
import { readInstant } from './instant.ts';

const READABLE: readonly (readonly [string, string])[] = [
  ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04Z', '2026-01-02T03:04:00.000Z'],
  ['2026-01-02T03:04:05.6789999Z', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03:04:05.678', '2026-01-02T03:04:05.678Z'],
  ['2026-01-02T03:04:05', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05+0000', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05+00:00', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05+00', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05-0130', '2026-01-02T04:34:05.000Z'],
  ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.000Z'],
  ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
];

/** What stands where a date should be, and is none. */
const UNREADABLE: readonly unknown[] = [
  ...[1_767_225_600_000, 'soon', '', ' ', [], ['2026-01-01T00:00:00Z'], {}, true, null, undefined, Number.NaN],
  ...['2026-01-01', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:61:00Z'],
  ...['Thu, 01 Jan 2026 00:00:00 GMT', '1767225600', '2026-01-01T00:00:00+24:00', '2026-01-01T00:00:00Zulu'],
];

test('a date without a zone is UTC, wherever this program runs; +0000 and +00:00 are one zone', () => {
  const zone = process.env.TZ;
  try {
    for (const here of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
      process.env.TZ = here;
      for (const [text, instant] of READABLE)
        assert.equal(readInstant(text)?.toISOString(), instant, `${text}, ${here}`);
    }
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test('what is no date and time is not read as one', () => {
  for (const value of UNREADABLE) assert.equal(readInstant(value), undefined, JSON.stringify(value));
});

test('the availability endpoint reads every form of a date, and an unreadable one is an error', async () => {
  let answer: unknown;
  await using stand = await genesys((response) => json(response, 200, { dataAvailabilityDate: answer }));
  for (const [text, instant] of READABLE) {
    answer = text;
    assert.equal((await stand.client.availability(never)).toISOString(), instant, text);
  }
  for (answer of UNREADABLE) {
    await assert.rejects(
      stand.client.availability(never),
      (error) =>
        error instanceof GenesysError && error.code === 'bad-answer' && error.message.includes('dataAvailabilityDate'),
      JSON.stringify(answer),
    );
  }
});
