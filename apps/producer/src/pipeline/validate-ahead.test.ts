import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordScanner, type ScannedRecord } from '@genesys-kafka/record-parser';
import { INLINE_VALIDATOR, MemoryLane, newSource, sourceOptions } from '../../fixtures/memory-lane.ts';
import { arrayOf, conversations } from '../../fixtures/records.ts';
import type { BatchValidator } from '../validate/batch-validator.ts';
import { SourcePublisher } from './source-publisher.ts';
import { validateAhead } from './validate-ahead.ts';

test('thousands of tiny records in one piece are handed to the thread by hundreds', async () => {
  const scan = { maxRecordBytes: 100_000, maxDepth: 20 };
  const scanner = new RecordScanner(scan);
  const records = [...scanner.push(arrayOf(conversations('tiny', 3000))), ...scanner.end()];
  async function* piece(): AsyncGenerator<readonly ScannedRecord[]> {
    yield records;
    yield [];
    yield records.slice(0, 1);
  }
  const sizes: number[] = [];
  const validator: BatchValidator = {
    ...INLINE_VALIDATOR,
    validate: async (batch, from) => {
      sizes.push(batch.length);
      return INLINE_VALIDATOR.validate(batch, from);
    },
  };
  const source = new SourcePublisher(new MemoryLane().publisher, newSource(), sourceOptions());
  const ordinals: number[] = [];
  for await (const batch of validateAhead(piece(), source, { validator, scan })) {
    ordinals.push(...batch.map(({ ordinal }) => ordinal));
  }
  assert.deepEqual(ordinals, [...records.map(({ ordinal }) => ordinal), 0]);
  assert(Math.max(...sizes) <= 250, `${Math.max(...sizes)} at once`);
});

test('a batch that is one step, and so one transaction, has 256 KiB at most, or a single record', async () => {
  const scan = { maxRecordBytes: 1_000_000, maxDepth: 20 };
  const scanner = new RecordScanner(scan);
  const long = conversations('long', 30).map((text) => text.replace('{', `{"note":"${'x'.repeat(50_000)}",`));
  const huge = conversations('huge', 1)[0]!.replace('{', `{"note":"${'x'.repeat(500_000)}",`);
  const records = [...scanner.push(arrayOf([...long, huge, ...conversations('tiny', 2)])), ...scanner.end()];
  async function* page(): AsyncGenerator<readonly ScannedRecord[]> {
    yield records;
  }
  const source = new SourcePublisher(new MemoryLane().publisher, newSource(), sourceOptions());
  const sizes: number[][] = [];
  for await (const batch of validateAhead(page(), source, { validator: INLINE_VALIDATOR, scan })) {
    sizes.push(batch.map(({ length }) => length));
  }
  assert.deepEqual(
    sizes.flat(),
    records.map(({ length }) => length),
  );
  for (const lengths of sizes) {
    assert(lengths.length === 1 || lengths.reduce((sum, length) => sum + length, 0) <= 256 * 1024);
  }
});

test('what a piece of 256 KiB completes is one batch, not a full one and one of a single record', async () => {
  const scan = { maxRecordBytes: 1_000_000, maxDepth: 20 };
  const scanner = new RecordScanner(scan);
  const usual = conversations('usual', 40).map((text) => text.replace('{', `{"note":"${'x'.repeat(6500)}",`));
  const records = [...scanner.push(arrayOf(usual)), ...scanner.end()];
  assert(records.reduce((sum, { length }) => sum + length, 0) > 256 * 1024);
  async function* piece(): AsyncGenerator<readonly ScannedRecord[]> {
    yield records;
  }
  const source = new SourcePublisher(new MemoryLane().publisher, newSource(), sourceOptions());
  const sizes: number[] = [];
  for await (const batch of validateAhead(piece(), source, { validator: INLINE_VALIDATOR, scan }))
    sizes.push(batch.length);
  assert.deepEqual(sizes, [40]);
});
