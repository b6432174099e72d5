import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findJava, javaMajorVersion } from './java.ts';

test('reads the major version of new and old numbering', () => {
  assert.equal(javaMajorVersion('openjdk version "17.0.15" 2025-04-15'), 17);
  assert.equal(javaMajorVersion('java version "1.8.0_402"'), 8);
  assert.equal(javaMajorVersion('openjdk version "25" 2025-09-16'), 25);
  assert.equal(javaMajorVersion('command not found'), undefined);
});

test('a JAVA_HOME without Java is named, not passed over', async () => {
  const finding = findJava(new AbortController().signal, { JAVA_HOME: '/nowhere' });
  await assert.rejects(finding, { code: 'provider-unavailable', message: /\/nowhere\/bin\/java \(from JAVA_HOME\)/ });
});
