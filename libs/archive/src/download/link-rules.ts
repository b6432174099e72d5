import { lookup as dnsLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isInsecure } from '@genesys-kafka/http';
import { ArchiveError } from '../errors.ts';
import { addressKind } from './address-kind.ts';

export interface LinkRuleOptions {
  /**
   * Hosts that files may come from: `host`, `host:port` or `*.domain`; without a port, 443 is meant (80 for http:). A
   * host listed by its own name may be loopback; all others must resolve to public addresses only.
   */
  readonly allowedHosts: readonly string[];
  /** Hosts that files may come from too, and that are never loopback: nobody here has listed them. */
  readonly publicHosts?: readonly string[];
  /** Hosts that the operator has named as the place to fetch from: they may be at any address. */
  readonly trustedHosts?: readonly string[];
  /** The system's name resolution unless a test has its own. */
  readonly resolve?: typeof dnsLookup | undefined;
  /** Plain http: to hosts other than loopback. */
  readonly allowInsecureHttp: boolean;
}

/** A link as errors and logs may show it: no query, no fragment, bounded. URL has escaped control characters. */
export function describeLink(link: URL): string {
  const shown = link.origin + link.pathname;
  return shown.length > 200 ? `${shown.slice(0, 197)}...` : shown;
}

/**
 * Decides which links may be fetched and which addresses may be connected to. A results link comes from outside, so
 * it must not become a way into the network that this program runs in.
 */
export class LinkRules {
  readonly #options: LinkRuleOptions;
  readonly #listed: readonly string[];
  readonly #trusted: readonly string[];
  readonly #hosts: readonly string[];
  readonly #resolve: typeof dnsLookup;

  constructor(options: LinkRuleOptions) {
    this.#options = options;
    this.#listed = options.allowedHosts.map((host) => host.toLowerCase());
    this.#trusted = (options.trustedHosts ?? []).map((host) => host.toLowerCase());
    this.#hosts = [...this.#listed, ...this.#trusted, ...(options.publicHosts ?? []).map((host) => host.toLowerCase())];
    this.#resolve = options.resolve ?? dnsLookup;
  }

  /** The link, checked, with `base` for a redirect's relative target. Throws ArchiveError `link-…`. */
  check(link: string, base?: URL): URL {
    // The parser's own error carries the whole link, query string included, so it is not kept as a cause.
    const url = URL.parse(link, base?.href);
    if (!url) throw new ArchiveError('link-malformed', 'The link to the archive is not a URL.');
    const shown = describeLink(url);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') {
      throw new ArchiveError('link-malformed', `The link to the archive has the scheme ${url.protocol}.`);
    }
    if (url.username !== '' || url.password !== '') {
      throw new ArchiveError('link-malformed', `The link ${shown} has a user name in it.`);
    }
    if (!this.#isAllowed(url))
      throw new ArchiveError('link-host-not-allowed', `${url.host} is not a known files host.`);
    const host = bare(url.hostname);
    if (url.protocol === 'http:') {
      if (base?.protocol === 'https:')
        throw new ArchiveError('link-insecure', `${describeLink(base)} redirects to http:.`);
      if (!this.#options.allowInsecureHttp && isInsecure(url)) {
        throw new ArchiveError('link-insecure', `The link ${shown} is plain http:.`);
      }
    }
    // Sockets do not resolve a host that is an address already, so the lookup below would not see it.
    if (isIP(host) !== 0) this.#checkAddress(host, host);
    return url;
  }

  /** A socket's name resolution: the addresses that were checked are the addresses that are connected to. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, '', 0);
        return;
      }
      try {
        for (const { address } of addresses) this.#checkAddress(hostname, address);
      } catch (refusal) {
        callback(refusal as NodeJS.ErrnoException, '', 0);
        return;
      }
      if (options.all) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 0);
    });
  };

  #isAllowed({ protocol, hostname, port }: URL): boolean {
    const usual = protocol === 'https:' ? '443' : '80';
    return this.#hosts.some((allowed) => {
      const { host, port: named = usual } = hostAndPort(allowed);
      if (named !== (port || usual)) return false;
      return host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : host === bare(hostname);
    });
  }

  #checkAddress(hostname: string, address: string): void {
    const kind = addressKind(address);
    if (kind === 'public' || isNamedIn(this.#trusted, hostname)) return;
    if (kind === 'loopback' && isNamedIn(this.#listed, hostname)) return;
    throw new ArchiveError('link-address-not-allowed', `${hostname} stands for ${address}, a ${kind} address.`);
  }
}

function isNamedIn(hosts: readonly string[], hostname: string): boolean {
  return hosts.some((named) => hostAndPort(named).host === hostname);
}

const bare = (hostname: string) => hostname.replace(/^\[|\]$/g, '');

/** `host`, `host:port`, `[address]:port`, or an IPv6 address as it is. */
function hostAndPort(listed: string): { readonly host: string; readonly port?: string | undefined } {
  const [, host, port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(listed) ?? [];
  return host === undefined ? { host: listed } : { host: bare(host), port };
}
