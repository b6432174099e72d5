import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { population } from '../../fixtures/population.ts';

const schemaFile = new URL('../../../../libs/conversation/schemas/conversation.schema.json', import.meta.url);
const ajv = new Ajv({ strict: true });
addFormats.default(ajv);
const isValid = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);

interface Parsed {
  conversationId: string;
  conversationStart: string;
  conversationEnd?: string;
  participants: { sessions: { mediaType: string }[] }[];
}

test('record i is the same bytes in any order, in any instance, and differs from its neighbours and other seeds', () => {
  const [one, two] = [population(), population()];
  const forwards = Array.from({ length: 300 }, (_, i) => one.text(i));
  const backwards = Array.from({ length: 300 }, (_, i) => two.text(299 - i)).reverse();
  assert.deepEqual(backwards, forwards);
  assert.equal(new Set(forwards).size, 300);
  assert.notEqual(population({ seed: 8 }).text(0), forwards[0]);
});

test('2,000 records are valid against the schema, each with its own id', () => {
  const conversations = population();
  const ids = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    const record = JSON.parse(conversations.text(i)) as Parsed;
    assert.ok(isValid(record), `record ${i}: ${ajv.errorsText(isValid.errors)}`);
    ids.add(record.conversationId);
  }
  assert.equal(ids.size, 2000);
});

test('plan and id say what the text says, and starts ascend', () => {
  const conversations = population();
  const media = { call: 'voice', message: 'message', chat: 'chat', email: 'email' };
  let before = 0;
  for (let i = 0; i < 500; i++) {
    const record = JSON.parse(conversations.text(i)) as Parsed;
    const plan = conversations.lifetime(i);
    assert.equal(record.conversationId, conversations.id(i));
    assert.equal(Date.parse(record.conversationStart), plan.startMs);
    assert.equal(record.conversationEnd && Date.parse(record.conversationEnd), plan.endMs);
    assert.equal(record.participants[0]?.sessions[0]?.mediaType, media[plan.kind]);
    assert.equal(plan.startMs, conversations.startMs(i));
    assert.ok(plan.startMs >= before);
    before = plan.startMs;
  }
});

test('sizes are those of real records: 3 to 15 kB, about 7.8 kB on average, with a thin tail', () => {
  const conversations = population({ records: 5000 });
  const sizes = Array.from({ length: 5000 }, (_, i) => Buffer.byteLength(conversations.text(i))).sort((a, b) => a - b);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  assert.ok(mean > 7400 && mean < 8200, `mean ${mean}`);
  assert.ok((sizes[0] ?? 0) > 3000);
  assert.ok((sizes[4900] ?? 0) < 20_000);
  assert.ok((sizes[4999] ?? 0) > 20_000);
});

test('spellings that a re-writing reader would change all occur', () => {
  const conversations = population();
  const all = Array.from({ length: 2000 }, (_, i) => conversations.text(i)).join('\n');
  const spellings = {
    'escaped letter': /[^\\]\\u00e9/,
    'escaped surrogate pair': /\\ud83d\\ude00/,
    'lone surrogate': /\\ud83d"/,
    'escaped slash': /\\\//,
    'raw emoji': /🚀/u,
    'raw letters': /山田/,
    'integer past 2^53': /:9007199254740993/,
    'long decimal': /\d\.\d{18}/,
    'negative zero': /-0,/,
    exponent: /1E2/,
    'odd whitespace': /\r\n\t"/,
    'escaped quote': /\\"/,
  };
  for (const [name, pattern] of Object.entries(spellings)) assert.match(all, pattern, name);
  assert.ok(all.isWellFormed(), 'raw text is valid UTF-8 when encoded');
});

test('exactly the records said to be invalid are, and all of them stay balanced', () => {
  const conversations = population({ invalidShare: 0.1 });
  const valid = population();
  let invalid = 0;
  for (let i = 0; i < 2000; i++) {
    const text = conversations.text(i);
    assert.equal(isAccepted(text), !conversations.isInvalid(i), `record ${i}`);
    if (!conversations.isInvalid(i)) assert.equal(text, valid.text(i));
    else invalid += 1;
    assert.equal(depthAtEnd(text), 0);
  }
  assert.ok(invalid > 140 && invalid < 260, `${invalid} of 2,000`);
});

function isAccepted(text: string): boolean {
  try {
    return isValid(JSON.parse(text));
  } catch {
    return false;
  }
}

/** Brackets outside strings, opened minus closed. */
function depthAtEnd(text: string): number {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
  }
  return depth;
}
