import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { DAY_MS, FROM_MS } from '../../fixtures/population.ts';
import { select } from '../conversations/selection.ts';
import type { Matching } from '../conversations/selection.ts';
import { Random } from '../conversations/random.ts';
import { drawLife, lastEndMs, LONGEST_MS, versionsOf } from './life.ts';
import { LivingOrganisation } from './living-organisation.ts';
import type { LivingOptions } from './living-organisation.ts';
import type { TrueVersion } from './organisation.ts';

const FATES = { late: 0.1, reopened: 0.3, reprocessed: 0.3, reviewed: 0.3, vanished: 0.1 };
const HOUR_MS = 3_600_000;

function organisation(changes: Partial<LivingOptions> = {}): LivingOrganisation {
  const usual = { seed: 7, perDay: 40, fromMs: FROM_MS, toMs: Infinity, invalidShare: 0, fates: FATES };
  return new LivingOrganisation({ ...usual, ...changes });
}

/** All conversations there are at a moment: number → text. */
function held(of: LivingOrganisation, cutMs: number): Map<number, string> {
  const lake = of.asOf(cutMs);
  const query = { fromMs: FROM_MS, toMs: FROM_MS + 400 * DAY_MS, matching: 'overlap', availableMs: cutMs } as const;
  return new Map(Array.from(select(lake, query), (index) => [index, lake.text(index)]));
}

const digestOf = (text: string) => createHash('sha256').update(text.trim()).digest('hex');
const idOf = (text: string) => (JSON.parse(text) as { conversationId: string }).conversationId;

test('one seed and one moment are the same bytes, in every instance and whatever was asked before', () => {
  const [one, two] = [organisation(), organisation()];
  const moments = [5, 20, 12.3].map((days) => FROM_MS + days * DAY_MS);
  const first = moments.map((ms) => held(one, ms));
  const again = moments.toReversed().map((ms) => held(two, ms));
  assert.deepEqual(again.reverse(), first);
  assert.ok(first[0]!.size > 150);
  assert.notDeepEqual(held(organisation({ seed: 8 }), moments[0]!), first[0]);
});

test('a conversation reads differently exactly where the truth has another version', () => {
  const it = organisation();
  const untilMs = FROM_MS + 40 * DAY_MS;
  const query = { fromMs: FROM_MS, toMs: FROM_MS + 2 * DAY_MS, matching: 'start', availableMs: untilMs } as const;
  const versions = Map.groupBy(it.truth({ ...query, allVersions: true }), (line) => line.conversationId);
  assert.ok([...versions.values()].some((lines) => lines.length >= 5));
  const seen = new Map<string, Set<string>>();
  for (let ms = FROM_MS; ms <= untilMs; ms += 11 * HOUR_MS) {
    const lake = it.asOf(ms);
    for (const index of select(lake, { ...query, availableMs: ms })) {
      const text = lake.text(index);
      const lines = versions.get(idOf(text)) ?? [];
      const line = lines.findLast(({ since }) => Date.parse(since) < ms);
      assert.equal(digestOf(text), line?.digest, `conversation ${index} at ${new Date(ms).toISOString()}`);
      seen.set(idOf(text), (seen.get(idOf(text)) ?? new Set()).add(text));
    }
  }
  assert.ok(seen.size > 70);
  for (const lines of versions.values()) {
    assert.equal(new Set(lines.map(({ digest }) => digest)).size, lines.length, 'versions differ in their bytes');
    assert.deepEqual(
      lines.map(({ version }) => version),
      Array.from(lines.keys()),
    );
  }
});

test('a digest is that of the record alone: white space around it is the page’s', () => {
  const it = organisation({ perDay: 2000 });
  const query = {
    fromMs: FROM_MS,
    toMs: FROM_MS + HOUR_MS * 4,
    matching: 'start',
    availableMs: FROM_MS + DAY_MS,
  } as const;
  const lake = it.asOf(query.availableMs);
  const spread = Array.from(select(lake, query), (index) => lake.text(index)).filter((text) => text.startsWith(' '));
  assert.ok(spread.length > 0);
  const digests = new Set(Array.from(it.truth({ ...query, allVersions: false }), ({ digest }) => digest));
  for (const text of spread) assert.ok(digests.has(createHash('sha256').update(text.slice(1)).digest('hex')));
});

test('each version is valid against the schema and tells of nothing that has not happened yet', () => {
  const schemaFile = new URL('../../../../libs/conversation/schemas/conversation.schema.json', import.meta.url);
  const ajv = new Ajv({ strict: true });
  addFormats.default(ajv);
  const isValid = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);
  const it = organisation();
  // What comes after the hang-up, after-call work, is in the record with it.
  const AFTER_MS = 60_000;
  for (let index = 0; index < 400; index += 1) {
    for (const version of versionsOf(it.life(index))) {
      const text = it.text(index, version);
      assert.ok(isValid(JSON.parse(text)), `${index} ${JSON.stringify(version)}: ${ajv.errorsText(isValid.errors)}`);
      for (const [instant] of text.matchAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g)) {
        assert.ok(Date.parse(instant) <= version.sinceMs + AFTER_MS, `${index} ${JSON.stringify(version)}: ${instant}`);
      }
    }
  }
});

test('an interval finds what a look at every conversation finds, at every moment', () => {
  const it = organisation();
  const all = Array.from({ length: 40 * 50 }, (_, index) => ({ index, life: it.life(index) }));
  const moment = fc.integer({ min: FROM_MS - DAY_MS, max: FROM_MS + 48 * DAY_MS });
  const startDay = (ms: number) => Math.floor(ms / DAY_MS);
  const expected = (matching: Matching, fromMs: number, toMs: number, cutMs: number) =>
    all.flatMap(({ index, life }) => {
      if (life.startMs >= cutMs || life.visibleMs >= cutMs || (life.vanishedMs ?? Infinity) < cutMs) return [];
      const ends = [life.endMs, life.reopenedMs, life.endedAgainMs].filter((ms) => ms !== undefined && ms < cutMs);
      // Ended once or twice; between the two it was open.
      const endMs = ends.length % 2 === 1 ? ends.at(-1)! : Infinity;
      const matches = {
        start: life.startMs >= fromMs && life.startMs < toMs,
        overlap: life.startMs < toMs && endMs > fromMs,
        'start-day': startDay(life.startMs) >= startDay(fromMs) && startDay(life.startMs) <= startDay(toMs - 1),
      };
      return matches[matching] ? [index] : [];
    });
  fc.assert(
    fc.property(
      fc.constantFrom<Matching>('overlap', 'start-day', 'start'),
      moment,
      fc.integer({ min: 1, max: 3 * DAY_MS }),
      moment,
      (matching, fromMs, lengthMs, cutMs) => {
        const query = { fromMs, toMs: fromMs + lengthMs, matching, availableMs: cutMs };
        assert.deepEqual([...select(it.asOf(cutMs), query)], expected(matching, fromMs, fromMs + lengthMs, cutMs));
      },
    ),
  );
});

test('every fate comes true in about its share, and one at another share leaves the others as they are', () => {
  const lives = (fates: typeof FATES) =>
    Array.from({ length: 4000 }, (_, index) => drawLife(new Random().reset(7, index), FROM_MS, fates));
  const before = lives(FATES);
  const share = (name: 'reopenedMs' | 'reprocessedMs' | 'reviewedMs' | 'vanishedMs') =>
    before.filter((life) => life[name] !== undefined).length / before.length;
  const near = (found: number, wanted: number) => assert.ok(Math.abs(found - wanted) < 0.03, `${found} of ${wanted}`);
  near(share('reopenedMs'), 0.3 * 0.35);
  near(share('reprocessedMs'), 0.3);
  near(share('reviewedMs'), 0.3);
  near(share('vanishedMs'), 0.1);
  near(before.filter(({ visibleMs, startMs }) => visibleMs > startMs).length / before.length, 0.1);
  assert.ok(before.every((life) => lastEndMs(life) - life.startMs <= LONGEST_MS));
  assert.deepEqual(
    lives({ ...FATES, reviewed: 0 }),
    before.map((life) => ({ ...life, reviewedMs: undefined })),
  );
});

test('the truth names the vanished with their last version, leaves out the late, and stands still after the end', () => {
  const toMs = FROM_MS + 5 * DAY_MS;
  const it = organisation({ toMs, fates: { ...FATES, vanished: 0.5 } });
  const query = { fromMs: FROM_MS, toMs: FROM_MS + DAY_MS, matching: 'start', allVersions: false } as const;
  const at = (availableMs: number): TrueVersion[] => [...it.truth({ ...query, availableMs })];
  const last = at(toMs);
  assert.equal(last.length, 40);
  const late = Array.from({ length: 40 }, (_, index) => index).find((index) => {
    const { visibleMs, startMs } = it.life(index);
    return visibleMs > startMs;
  })!;
  const shows = (ms: number) => at(ms).some(({ conversationId }) => conversationId === it.id(late));
  assert.deepEqual([shows(it.life(late).visibleMs), shows(it.life(late).visibleMs + 1)], [false, true]);
  const vanished = last.filter((line) => line.vanished !== undefined);
  assert.ok(vanished.length > 2);
  const lake = held(it, toMs);
  const ids = new Set(Array.from(lake.values(), idOf));
  assert.ok(vanished.every(({ conversationId }) => !ids.has(conversationId)));
  assert.deepEqual(at(toMs + 100 * DAY_MS), last);
  assert.deepEqual(held(it, toMs + 100 * DAY_MS), lake);
});

test('a spoilt record is spoilt in all its versions, and the truth says so', () => {
  const it = organisation({ invalidShare: 0.2 });
  const query = {
    fromMs: FROM_MS,
    toMs: FROM_MS + 3 * DAY_MS,
    matching: 'start',
    availableMs: FROM_MS + 40 * DAY_MS,
  } as const;
  const lines = [...it.truth({ ...query, allVersions: true })];
  const invalid = new Set(lines.filter((line) => line.invalid).map((line) => line.conversationId));
  assert.ok(invalid.size > 10 && invalid.size < 40, `${invalid.size}`);
  assert.ok(lines.every((line) => (line.invalid ?? false) === invalid.has(line.conversationId)));
  for (let index = 0; index < 100; index += 1) {
    for (const version of versionsOf(it.life(index))) {
      const same = it.text(index, version) === organisation().text(index, version);
      assert.equal(same, !it.isInvalid(index), `${index} ${version.phase}`);
    }
  }
});
