import { randomBytes } from 'node:crypto';

export interface TokenOptions {
  readonly lifetimeMs: number;
  readonly now: () => number;
}

/** Access tokens given out: opaque, good until they expire or are revoked. */
export class Tokens {
  readonly #options: TokenOptions;
  readonly #expiry = new Map<string, number>();
  issued = 0;
  #isClientRevoked = false;

  constructor(options: TokenOptions) {
    this.#options = options;
  }

  issue(): { readonly token: string; readonly expiresInSeconds: number } {
    const { lifetimeMs, now } = this.#options;
    for (const [token, expiresMs] of this.#expiry) if (expiresMs <= now()) this.#expiry.delete(token);
    const token = randomBytes(48).toString('base64url');
    this.#expiry.set(token, now() + lifetimeMs);
    this.issued += 1;
    return { token, expiresInSeconds: Math.floor(lifetimeMs / 1000) };
  }

  isGood(token: string): boolean {
    const expiresMs = this.#expiry.get(token);
    return expiresMs !== undefined && expiresMs > this.#options.now();
  }

  revoke(token: string): void {
    this.#expiry.delete(token);
  }

  revokeAll(): void {
    this.#expiry.clear();
  }

  /** The client may no longer log in. */
  get isClientRevoked(): boolean {
    return this.#isClientRevoked;
  }

  /** Takes the client's credentials away, with all tokens that it got for them, or gives them back. */
  revokeClient(isRevoked: boolean): void {
    this.#isClientRevoked = isRevoked;
    if (isRevoked) this.revokeAll();
  }
}
