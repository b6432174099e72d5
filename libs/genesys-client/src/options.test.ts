import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGenesysClient } from './client.ts';
import { GenesysError } from './errors.ts';
import { regionOrigins } from './regions.ts';

const good = {
  apiUrl: 'https://api.example.org',
  loginUrl: 'https://login.example.org',
  clientId: 'i',
  clientSecret: 's',
};
const refused = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GenesysError);
  assert.equal(error.code, 'genesys-settings');
  assert.equal(error.scope, 'usage');
  assert.match(error.message, pattern);
  return true;
};

test('plain http is for loopback alone, unless allowed', async () => {
  for (const host of ['localhost', '127.0.0.1:8080', '127.1', '[::1]:9']) {
    await createGenesysClient({ ...good, apiUrl: `http://${host}` }).close();
  }
  for (const host of ['api.example.org', 'localhost.example.org', '127.0.0.1.example.org', '[::2]', '10.0.0.1']) {
    assert.throws(() => createGenesysClient({ ...good, apiUrl: `http://${host}` }), refused(/apiUrl: plain http:/));
  }
  await createGenesysClient({ ...good, loginUrl: 'http://login.example.org', allowInsecureHttp: true }).close();
});

test('all problems are told at once, and none of them tells a value', () => {
  const options = {
    apiUrl: 'ftp://x',
    loginUrl: 'https://user:pw-canary@login.example.org',
    clientId: 'i',
    clientSecret: 's',
    proxy: { url: 'socks5://u:pw-canary@proxy', bypass: [] },
  };
  assert.throws(
    () => createGenesysClient(options),
    (error) => {
      assert.doesNotMatch(String(error), /canary/);
      return refused(/apiUrl: not .*loginUrl: must not hold.*proxy\.url: not/)(error);
    },
  );
  assert.throws(
    () => createGenesysClient({ ...good, clientSecret: '', requestsPerSecond: 0, maxConnections: 1.5 }),
    refused(/clientSecret.*requestsPerSecond.*maxConnections/),
  );
  assert.throws(
    () => createGenesysClient({ ...good, apiUrl: 'https://api.example.org/api/v2' }),
    refused(/without path/),
  );
});

test('a region is any well-formed host', () => {
  assert.deepEqual(regionOrigins('mypurecloud.de'), {
    apiUrl: 'https://api.mypurecloud.de',
    loginUrl: 'https://login.mypurecloud.de',
    fileHosts: ['files.mypurecloud.de'],
  });
  for (const host of ['usw2.pure.cloud', 'edee1.eusc-pure.cloud', 'use2.us-gov-pure.cloud', 'new9.pure.cloud']) {
    assert.equal(regionOrigins(` ${host.toUpperCase()} `).apiUrl, `https://api.${host}`);
  }
});

test('a malformed region is a usage error that helps', () => {
  for (const text of [
    '',
    'https://mypurecloud.de',
    'mypurecloud',
    'a b.de',
    '-a.de',
    'a..de',
    'x.de/path',
    '1.2.3.4',
  ]) {
    assert.throws(() => regionOrigins(text), refused(/not a host name/));
  }
  assert.throws(() => regionOrigins('eu-central-1'), refused(/mypurecloud\.de/));
  assert.throws(() => regionOrigins('us_west_2'), refused(/usw2\.pure\.cloud/));
  assert.throws(() => regionOrigins('api.mypurecloud.de'), refused(/without "api\."/));
});
