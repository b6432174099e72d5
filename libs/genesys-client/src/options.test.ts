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

test('an address is an origin and nothing more, and a proxy is reached by http: or https:', async () => {
  for (const [apiUrl, says] of [
    ['nonsense', /apiUrl: not an https: address/],
    ['https://canary@api.example.org', /apiUrl: must not hold a user name/],
    ['https://:canary@api.example.org', /apiUrl: must not hold a user name/],
    [
      'https://api.example.org/?canary',
      /apiUrl: must be an origin, as https:\/\/api\.example\.org, without path or query/,
    ],
    ['https://api.example.org/#canary', /apiUrl: must be an origin/],
  ] as const)
    assert.throws(
      () => createGenesysClient({ ...good, apiUrl }),
      (error) => {
        assert.doesNotMatch(String(error), /canary/);
        return refused(says)(error);
      },
    );
  for (const url of ['', 'http://proxy.example:3128', 'https://proxy.example'])
    await createGenesysClient({ ...good, proxy: { url, bypass: [] } }).close();
  for (const url of ['ftp://proxy.example', 'proxy'])
    assert.throws(() => createGenesysClient({ ...good, proxy: { url, bypass: [] } }), refused(/proxy\.url: not/));
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
  for (const name of ['api', 'login', 'apps'])
    assert.throws(() => regionOrigins(`${name}.mypurecloud.de`), refused(/without "api\."/));
  assert.equal(regionOrigins('myapps.example').apiUrl, 'https://api.myapps.example');
  assert.equal(regionOrigins('eu.api.example').apiUrl, 'https://api.eu.api.example');
});

test('whoever writes the name that AWS has for a region is told its host', () => {
  const hosts = {
    ...{ 'us-east-1': 'mypurecloud.com', 'us-east-2': 'use2.us-gov-pure.cloud', 'us-west-2': 'usw2.pure.cloud' },
    ...{ 'ca-central-1': 'cac1.pure.cloud', 'sa-east-1': 'sae1.pure.cloud', 'mx-central-1': 'mxc1.pure.cloud' },
    ...{ 'eu-west-1': 'mypurecloud.ie', 'eu-west-2': 'euw2.pure.cloud', 'eu-central-1': 'mypurecloud.de' },
    ...{ 'eu-central-2': 'euc2.pure.cloud', 'me-central-1': 'mec1.pure.cloud', 'ap-south-1': 'aps1.pure.cloud' },
    ...{ 'ap-southeast-1': 'apse1.pure.cloud', 'ap-southeast-2': 'mypurecloud.com.au' },
    ...{ 'ap-northeast-1': 'mypurecloud.jp', 'ap-northeast-2': 'apne2.pure.cloud' },
    ...{ 'ap-northeast-3': 'apne3.pure.cloud' },
  };
  for (const [name, host] of Object.entries(hosts)) {
    const told = new RegExp(`is written as its host: ${host.replaceAll('.', '\\.')}\\.`);
    assert.throws(() => regionOrigins(name), refused(told));
    assert.throws(() => regionOrigins(` ${name.toUpperCase().replaceAll('-', '_')} `), refused(told));
  }
});
