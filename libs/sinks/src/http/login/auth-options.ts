/** How a sink logs in to its target. */
export type AuthOptions =
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | OAuthOptions;

export interface OAuthOptions {
  readonly type: 'oauth';
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
  /** Where client and secret stand in the request for a token. */
  readonly credentials: 'header' | 'body';
}
