import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import tls, { getCACertificates } from 'node:tls';
import { requireModernTls, trustCaFile } from './trust.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

test('a certificate authority is trusted besides the usual ones', () => {
  // By fingerprint: the same certificate may be there twice, bundled and from the system.
  const trusted = () => new Set(getCACertificates('default').map((pem) => new X509Certificate(pem).fingerprint256));
  const before = trusted();
  trustCaFile(fixture('test-authority.pem'));
  const added = trusted().difference(before);
  assert.deepEqual([...added], [new X509Certificate(readFileSync(fixture('test-authority.pem'))).fingerprint256]);
  assert.equal(before.difference(trusted()).size, 0);
});

test('a file that is missing or holds no certificate is a usage error that names it', () => {
  assert.throws(() => trustCaFile(fixture('none.pem')), {
    code: 'bad-config',
    message: /tls\.caFile: names .*none\.pem, which cannot be read \(ENOENT\)/,
  });
  assert.throws(() => trustCaFile(fileURLToPath(import.meta.url)), {
    code: 'bad-config',
    message: /holds no certificate/,
  });
});

test('clients that state no version speak TLS 1.2 or later, whatever NODE_OPTIONS allows', () => {
  const before = tls.DEFAULT_MIN_VERSION;
  tls.DEFAULT_MIN_VERSION = 'TLSv1';
  try {
    requireModernTls();
    assert.equal(tls.DEFAULT_MIN_VERSION, 'TLSv1.2');
  } finally {
    tls.DEFAULT_MIN_VERSION = before;
  }
});
