import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { ArchiveError } from '../errors.ts';
import { addressKind } from './address-kind.ts';
import { describeLink, LinkRules, type LinkRuleOptions } from './link-rules.ts';

const rulesOf = (options: Partial<LinkRuleOptions> = {}) =>
  new LinkRules({
    allowedHosts: [
      'files.example',
      '*.cloud.example',
      'localhost:8080',
      '127.0.0.1:5',
      '[::1]:9000',
      'odd.example:8443',
    ],
    allowInsecureHttp: false,
    ...options,
  });

function verdict(link: string, options?: Partial<LinkRuleOptions>, base?: string): string {
  try {
    return rulesOf(options).check(link, base === undefined ? undefined : new URL(base)).protocol;
  } catch (error) {
    assert.ok(error instanceof ArchiveError);
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      assert.doesNotMatch(JSON.stringify(at) + at.message, /sig=/);
    return error.code;
  }
}

test('a link is followed to listed hosts only, over https unless it stays on this machine', () => {
  const cases: [link: string, expected: string][] = [
    ['https://files.example/x?sig=1', 'https:'],
    ['https://FILES.example:443/x', 'https:'],
    // Without a port, the usual one is meant.
    ['https://files.example:8443/x', 'link-host-not-allowed'],
    ['https://a.cloud.example:6443/x', 'link-host-not-allowed'],
    ['https://odd.example:8443/x', 'https:'],
    ['https://odd.example/x', 'link-host-not-allowed'],
    ['https://a.b.cloud.example/x', 'https:'],
    ['https://cloud.example/x', 'link-host-not-allowed'],
    ['https://evilcloud.example/x', 'link-host-not-allowed'],
    ['https://files.example.evil/x?sig=1', 'link-host-not-allowed'],
    ['http://files.example/x?sig=1', 'link-insecure'],
    ['http://localhost:8080/x', 'http:'],
    ['http://localhost:8081/x', 'link-host-not-allowed'],
    ['http://127.0.0.1:5/x', 'http:'],
    ['http://0x7f.1:5/x', 'http:'],
    ['http://[::1]:9000/x', 'http:'],
    ['http://[::1]:9001/x', 'link-host-not-allowed'],
    ['https://u:p@files.example/x?sig=1', 'link-malformed'],
    ['https://u@files.example/x?sig=1', 'link-malformed'],
    ['https://:p@files.example/x?sig=1', 'link-malformed'],
    ['ftp://files.example/x?sig=1', 'link-malformed'],
    ['file:///etc/passwd?sig=1', 'link-malformed'],
    ['not a link?sig=1', 'link-malformed'],
    ['', 'link-malformed'],
  ];
  for (const [link, expected] of cases) assert.equal(verdict(link), expected, link);
  const spelled = { allowedHosts: ['Listed.example'], publicHosts: ['Region.example'] };
  for (const host of ['listed', 'region']) assert.equal(verdict(`https://${host}.example/x`, spelled), 'https:');
  assert.equal(verdict('http://files.example/x', { allowInsecureHttp: true }), 'http:');
  assert.equal(
    verdict('http://files.example/x', { allowInsecureHttp: true }, 'https://files.example/'),
    'link-insecure',
  );
});

test('addresses written in a link are judged in every spelling, listed or not', () => {
  const hosts = [
    '169.254.169.254',
    '10.1.2.3',
    '0.0.0.0',
    '[::ffff:10.0.0.1]',
    '[fd00::1]',
    '[64:ff9b::a00:1]',
    '[::127.0.0.1]',
  ];
  for (const host of hosts) {
    const { hostname } = new URL(`https://${host}/`);
    assert.equal(verdict(`https://${host}/x`, { allowedHosts: [hostname] }), 'link-address-not-allowed', host);
  }
  for (const spelling of ['2852039166', '0xa9.0xfe.0xa9.0xfe', '0251.0376.0251.0376']) {
    assert.equal(
      verdict(`https://${spelling}/x`, { allowedHosts: ['169.254.169.254'] }),
      'link-address-not-allowed',
      spelling,
    );
  }
});

test('tells kinds of addresses apart', () => {
  const kinds = {
    public: ['8.8.8.8', '2600:9000::1', '172.32.0.1', '::ffff:8.8.8.8', '::ffff:0:8.8.8.8'],
    loopback: ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:0:127.0.0.1'],
    private: [
      '10.0.0.1',
      '172.31.255.255',
      '192.168.1.1',
      'fc00::1',
      '::ffff:192.168.0.1',
      '::ffff:0:10.0.0.1',
      '::FFFF:0:c0a8:1',
    ],
    special: [
      '0.0.0.0',
      '169.254.169.254',
      'fe80::1%eth0',
      '100.64.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::7f00:1',
      '2002:7f00:1::',
      '::ffff:169.254.169.254',
      '::ffff:0:169.254.169.254',
    ],
  };
  for (const [kind, addresses] of Object.entries(kinds)) {
    for (const address of addresses) assert.equal(addressKind(address), kind, address);
  }
});

test('the lookup hands a socket only addresses that it has checked', async () => {
  const lookup = async (allowedHosts: string[], all: boolean) =>
    new Promise<string | LookupAddress[]>((resolve, reject) => {
      rulesOf({ allowedHosts }).lookup('localhost', { all }, (error, address) =>
        error ? reject(error) : resolve(address),
      );
    });
  assert.match((await lookup(['localhost'], false)) as string, /^(127\.|::1)/);
  assert.ok(Array.isArray(await lookup(['localhost:99'], true)));
  await assert.rejects(lookup(['*.localhost'], true), { code: 'link-address-not-allowed' });
});

test('a lookup is answered once: with the addresses where all may be reached, or with what is wrong', async () => {
  const found: Record<string, readonly string[]> = {
    'files.example': ['198.41.0.4', '2600:9000::1'],
    'mixed.example': ['198.41.0.4', '10.0.0.1'],
    'none.example': [],
  };
  const resolve = ((name: string, options: object, callback: (...answer: unknown[]) => void) => {
    assert.deepEqual(options, { family: 4, all: true }, 'each address is looked at');
    const addresses = found[name]?.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (addresses) callback(null, addresses);
    else callback(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }));
  }) as unknown as LinkRuleOptions['resolve'];
  const answers = (name: string, all: boolean) => {
    const given: unknown[] = [];
    rulesOf({ resolve }).lookup(name, { family: 4, all }, (error, ...rest) =>
      given.push(error ? (error.code ?? '') : rest),
    );
    return given;
  };
  const both = [
    { address: '198.41.0.4', family: 4 },
    { address: '2600:9000::1', family: 6 },
  ];
  assert.deepEqual(answers('files.example', true), [[both]]);
  assert.deepEqual(answers('files.example', false), [['198.41.0.4', 4]]);
  for (const all of [true, false]) {
    assert.deepEqual(answers('mixed.example', all), ['link-address-not-allowed']);
    assert.deepEqual(answers('gone.example', all), ['ENOTFOUND']);
  }
  assert.deepEqual(answers('none.example', true), [[[]]]);
  assert.deepEqual(answers('none.example', false), [['', 0]]);
});

test('a port that is listed is meant for itself, whichever is the usual one of the scheme', () => {
  const allowed = ['a.example:443', 'b.example:80', 'c.example', '[2600:9000::1]:8443', '2600:9000::2'];
  const options = { allowedHosts: allowed, allowInsecureHttp: true };
  for (const [link, expected] of [
    ['https://a.example/x', 'https:'],
    ['http://a.example/x', 'link-host-not-allowed'],
    ['http://a.example:443/x', 'http:'],
    ['http://b.example/x', 'http:'],
    ['https://b.example/x', 'link-host-not-allowed'],
    ['https://b.example:80/x', 'https:'],
    ['http://c.example/x', 'http:'],
    ['http://c.example:443/x', 'link-host-not-allowed'],
    ['https://c.example:80/x', 'link-host-not-allowed'],
    ['https://[2600:9000::1]:8443/x', 'https:'],
    ['https://[2600:9000::1]/x', 'link-host-not-allowed'],
    ['https://[2600:9000::2]/x', 'https:'],
  ] as const)
    assert.equal(verdict(link, options), expected, link);
});

test("a region's host is never loopback, what the operator lists may be", async () => {
  const resolve = ((_name: string, _options: object, callback: (...found: unknown[]) => void) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as LinkRuleOptions['resolve'];
  const lookup = async (options: Partial<LinkRuleOptions>) => {
    const rules = rulesOf({ resolve, allowedHosts: [], ...options });
    assert.equal(rules.check('https://files.region.example/x').protocol, 'https:');
    return new Promise((done, failed) =>
      rules.lookup('files.region.example', {}, (error, address) => (error ? failed(error) : done(address))),
    );
  };
  await assert.rejects(lookup({ publicHosts: ['files.region.example'] }), { code: 'link-address-not-allowed' });
  assert.equal(await lookup({ allowedHosts: ['files.region.example'] }), '127.0.0.1');
});

test('a host that is trusted may be at any address, and no other host by that', async () => {
  const resolve = ((_name: string, _options: object, callback: (...found: unknown[]) => void) =>
    callback(null, [{ address: '10.1.2.3', family: 4 }])) as unknown as LinkRuleOptions['resolve'];
  const rules = rulesOf({
    resolve,
    allowedHosts: ['files.example'],
    trustedHosts: ['Storage.example:9000', '10.9.9.9'],
  });
  const lookup = async (name: string) =>
    new Promise((done, failed) => rules.lookup(name, {}, (error, address) => (error ? failed(error) : done(address))));
  assert.equal(rules.check('https://storage.example:9000/b/k?X-Amz-Signature=x').port, '9000');
  assert.equal(await lookup('storage.example'), '10.1.2.3');
  assert.equal(rules.check('https://10.9.9.9/b/k').hostname, '10.9.9.9');
  await assert.rejects(lookup('files.example'), { code: 'link-address-not-allowed' });
  assert.throws(() => rules.check('https://storage.example/b/k'), { code: 'link-host-not-allowed' });
  assert.throws(() => rules.check('http://storage.example:9000/b/k'), { code: 'link-insecure' });
});

test('shows a link without its query', () => {
  assert.equal(describeLink(new URL('https://files.example/a b?sig=1#f')), 'https://files.example/a%20b');
  assert.equal(describeLink(new URL(`https://files.example/${'x'.repeat(500)}`)).length, 200);
});
