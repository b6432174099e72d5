/** What a connection URL tells. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  /** As the URL's `sslmode` says. */
  readonly tls?: 'verify-full' | 'disable';
}

/** Words of libpq. What asks for less than a verified server is given the verified one, never the other way round. */
const SSL_MODES: Readonly<Record<string, 'verify-full' | 'disable'>> = {
  disable: 'disable',
  require: 'verify-full',
  'verify-full': 'verify-full',
};

/** What is wrong with a connection URL; undefined where it can be used. Nothing of the URL is repeated. */
export function urlFault(text: string): string | undefined {
  const result = parsePostgresUrl(text);
  return typeof result === 'string' ? result : undefined;
}

/** libpq would try one after the other. */
const SEVERAL_HOSTS = /^postgres(?:ql)?:\/\/(?:[^/?#]*@)?[^@/?#]*,[^@/?#]*(?:[/?#]|$)/;

/** The parts of a connection URL, or what is wrong with it. */
export function parsePostgresUrl(text: string): PostgresAddress | string {
  if (SEVERAL_HOSTS.test(text)) return 'names several servers; name one address, which leads to the server that writes';
  const url = URL.parse(text);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) return 'is not a URL such as postgres://user@db.example/app';
  if (url.hostname === '') return 'names no host; write postgres://user@host/database';
  if (url.username === '') return 'names no user; write postgres://user@host/database';
  if (url.hash !== '') return 'has a #fragment; write a # in a password as %23';
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded);
  if (user === undefined || password === undefined || database === undefined)
    return 'has a % that begins no code; write a % as %25';
  if (database === '' || database.includes('/')) return 'names no database; write postgres://user@host/database';
  const unknown = [...url.searchParams.keys()].filter((name) => name !== 'sslmode');
  if (unknown.length > 0) return `has parameters that are not known here (${unknown.length}); only sslmode is`;
  const mode = url.searchParams.get('sslmode');
  const tls = mode === null ? undefined : SSL_MODES[mode];
  if (mode !== null && tls === undefined) return 'has an sslmode other than disable, require and verify-full';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 5432 : Number(url.port),
    user,
    database,
    ...(password === '' ? {} : { password }),
    ...(tls ? { tls } : {}),
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
