import { BlockList, isIP } from 'node:net';
import { isLoopback } from '@genesys-kafka/http';

type AddressKind = 'public' | 'loopback' | 'private' | 'special';

function blockList(...subnets: readonly [network: string, prefix: number][]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, network.includes(':') ? 'ipv6' : 'ipv4');
  return list;
}

const PRIVATE = blockList(['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['fc00::', 7]);
/** IANA's special-purpose registries: this host, shared space, link-local, documentation, multicast, reserved. */
const SPECIAL = blockList(
  ['0.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  // Forms that carry an IPv4 address inside: NAT64 and 6to4. The mapped form (::ffff:) is unpacked by BlockList.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
);

/** The IPv4 address inside an IPv4-translated one, `::ffff:0:a.b.c.d` (RFC 2765). */
function translated(address: string): string | undefined {
  const canonical = URL.parse(`http://[${address}]/`)?.hostname ?? '';
  const [, high, low] = /^\[::ffff:0:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [left, right] = [parseInt(high, 16), parseInt(low, 16)];
  return [left >> 8, left & 255, right >> 8, right & 255].join('.');
}

/** Which kind of network an IP address belongs to; IPv4 mapped or translated into IPv6 counts as its IPv4 address. */
export function addressKind(address: string): AddressKind {
  const zoneless = address.replace(/%.*$/, '');
  const withoutZone = translated(zoneless) ?? zoneless;
  const family = isIP(withoutZone) === 6 ? 'ipv6' : 'ipv4';
  if (isLoopback(withoutZone)) return 'loopback';
  if (PRIVATE.check(withoutZone, family)) return 'private';
  // The deprecated IPv4-compatible form ::a.b.c.d is never a public host.
  if (SPECIAL.check(withoutZone, family) || /^::(?!ffff:)/i.test(withoutZone)) return 'special';
  return 'public';
}
