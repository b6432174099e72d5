import { createHmac, randomBytes } from 'node:crypto';

/** What a link's query says, or why the link is refused. */
export type LinkVerdict = 'good' | 'expired' | 'forged' | 'unsigned';

/** Pre-signed links in the manner of S3: path, date and lifetime are signed; whoever has the link may read. */
export class LinkSigner {
  readonly #key = randomBytes(32);
  readonly #lifetimeSeconds: number;
  readonly #now: () => number;

  constructor(lifetimeSeconds: number, now: () => number) {
    this.#lifetimeSeconds = lifetimeSeconds;
    this.#now = now;
  }

  /** Path with query. Two links for one path differ even within a second. */
  sign(path: string): string {
    const date = compactDate(this.#now());
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `SIMULATOR${randomBytes(4).toString('hex').toUpperCase()}/${date.slice(0, 8)}/sim-1/s3/aws4_request`,
      'X-Amz-Date': date,
      'X-Amz-Expires': String(this.#lifetimeSeconds),
      'X-Amz-SignedHeaders': 'host',
    });
    query.set('X-Amz-Signature', this.#signature('GET', path, query));
    return `${path}?${query.toString()}`;
  }

  /** A link is good for the method it was signed for: GET. */
  verify(method: string, pathWithQuery: string): LinkVerdict {
    const [path = '', text = ''] = pathWithQuery.split('?', 2);
    const query = new URLSearchParams(text);
    const signature = query.get('X-Amz-Signature');
    if (signature === null) return 'unsigned';
    query.delete('X-Amz-Signature');
    if (signature !== this.#signature(method, path, query)) return 'forged';
    const expiresMs = readCompactDate(query.get('X-Amz-Date') ?? '') + Number(query.get('X-Amz-Expires')) * 1000;
    return this.#now() < expiresMs ? 'good' : 'expired';
  }

  #signature(method: string, path: string, query: URLSearchParams): string {
    return createHmac('sha256', this.#key).update(`${method}\n${path}\n${query.toString()}`).digest('hex');
  }
}

function compactDate(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

function readCompactDate(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}
