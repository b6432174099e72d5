import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressKind } from './address-kind.ts';

/**
 * https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry,
 * and multicast: each network's first and last address, and their neighbours outside of it where these are public.
 */
const NETWORKS: readonly (readonly [
  kind: string,
  first: string,
  last: string,
  before?: string | undefined,
  after?: string,
])[] = [
  ['loopback', '127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
  ['loopback', '::1', '::1'],
  ['private', '10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
  ['private', '172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
  ['private', '192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
  ['private', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fbff::', 'fe00::'],
  ['special', '0.0.0.0', '0.255.255.255', undefined, '1.0.0.0'],
  ['special', '100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
  ['special', '169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
  ['special', '192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
  ['special', '192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
  ['special', '198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
  ['special', '198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
  ['special', '203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
  ['special', '224.0.0.0', '255.255.255.255', '223.255.255.255'],
  ['special', '::', '::'],
  ['special', '::2', '::ffff'],
  ['special', '64:ff9b::', '64:ff9b::ffff:ffff', '64:ff9a:ffff::', '64:ff9b::1:0:0'],
  ['special', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', '64:ff9b:0:ffff::', '64:ff9b:2::'],
  ['special', '100::', '100::ffff:ffff:ffff:ffff', 'ff::', '100:0:0:1::'],
  ['special', '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2000:ffff::', '2001:200::'],
  ['special', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db7:ffff::', '2001:db9::'],
  ['special', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:ffff::', '2003::'],
  ['special', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fe7f::'],
  ['special', 'fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['special', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
];

test('no network that is not public is taken for it, from its first address to its last, and none besides', () => {
  for (const [kind, first, last, ...neighbours] of NETWORKS) {
    for (const address of [first, last]) assert.equal(addressKind(address), kind, address);
    for (const address of neighbours) if (address !== undefined) assert.equal(addressKind(address), 'public', address);
  }
});

test('law: an IPv4 address is of one kind, in whichever form of IPv6 it is mapped or translated', () => {
  const inside = NETWORKS.filter(([, first]) => first.includes('.')).flatMap(([, ...addresses]) => addresses);
  const listed = fc.constantFrom(...inside.filter((address) => address !== undefined));
  fc.assert(
    fc.property(fc.oneof(listed, fc.ipV4()), fc.constantFrom('', '%eth0', '%25'), (address, zone) => {
      const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
      const hex = [a * 256 + b, c * 256 + d].map((word) => word.toString(16)).join(':');
      for (const form of [
        `::ffff:${address}`,
        `::ffff:${hex}`,
        `::FFFF:${hex}`,
        `::ffff:0:${address}`,
        `::ffff:0:${hex}`,
      ])
        assert.equal(addressKind(form + zone), addressKind(address), form);
      // Forms that a gateway makes of it are never public.
      for (const form of [`64:ff9b::${address}`, `2002:${hex}::`, `::${address}`])
        assert.notEqual(addressKind(form + zone), 'public', form);
    }),
  );
});
