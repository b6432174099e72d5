import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInsecure, isLoopback } from './loopback.ts';

test('what is this machine, by name and by address', () => {
  const here = ['localhost', 'api.localhost', '127.0.0.1', '127.255.0.9', '::1', '[::1]', '::ffff:127.0.0.1'];
  for (const host of here) assert.ok(isLoopback(host), host);
  const elsewhere = [
    '',
    'localhost.example.org',
    'notlocalhost',
    '127.0.0.1.example.org',
    '127.example.org',
    '10.0.0.1',
    '0.0.0.0',
    '::',
    '[::2]',
    '::ffff:10.0.0.1',
  ];
  for (const host of elsewhere) assert.ok(!isLoopback(host), host);
});

test('plain http is insecure, but not to this machine in whatever spelling', () => {
  for (const host of ['localhost:8080', '127.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', '[::1]:9']) {
    assert.equal(isInsecure(new URL(`http://${host}/`)), false, host);
  }
  assert.equal(isInsecure(new URL('http://example.org/')), true);
  assert.equal(isInsecure(new URL('http://10.0.0.1/')), true);
  assert.equal(isInsecure(new URL('https://example.org/')), false);
});
