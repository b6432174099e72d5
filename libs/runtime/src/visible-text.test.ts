import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { safeJson, visibleText } from './visible-text.ts';

test('nothing that moves a cursor, changes a colour, forges a line or a direction gets through; letters do', () => {
  assert.equal(
    visibleText('a\u001b[31mred\r\nb\u009b2J\u202ec\u200fd'),
    'a\\u001b[31mred\\r\\nb\\u009b2J\\u202ec\\u200fd',
  );
  assert.equal(visibleText('\u2028\u{e0041}\u061c\u00ad\ud800'), '\\u2028\\u{e0041}\\u061c\\u00ad\\ud800');
  assert.equal(visibleText('Zürich\t日本 עברית 😀 {"a":"\\n"}'), 'Zürich\t日本 עברית 😀 {"a":"\\n"}');
  assert.equal(visibleText('a\nb\u0007', { keepLines: true }), 'a\nb\\u0007');
});

test('any text becomes one line of characters that can be seen, and twice is the same as once', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const once = visibleText(text);
      assert.doesNotMatch(once, /[^\P{C}\t]|[\p{Zl}\p{Zp}]/u);
      assert.equal(visibleText(once), once);
    }),
  );
});

test('JSON for a terminal shows no control, no direction and no other character that cannot be seen, and means the same', () => {
  const hostile = 'a\u001b]52;c;eA==\u0007b\u009b2J\u202ec\u2028\u{e0041}\u00ad\ud800';
  const document = { [hostile]: [hostile, { text: 'Zürich\t日本 😀' }] };
  const text = safeJson(document);
  assert.doesNotMatch(text, /[\p{C}\p{Zl}\p{Zp}]/u);
  assert.match(text, /Zürich\\t日本 😀/);
  assert.deepEqual(JSON.parse(text), document);
});
