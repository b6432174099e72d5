import { httpUrl, secret, text } from '@genesys-kafka/runtime/settings';
import { z } from 'zod';
import { HEADER_NAME } from '../header-texts.ts';

const auth = <const T extends string>(type: T) => z.literal(type).meta({ description: 'How we log in to the target.' });

/** `auth` of a sink of type `http`: the header `authorization`. */
export const AUTH = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: auth('bearer'),
      token: secret().meta({ description: 'Sent with each request.' }),
    }),
    z.strictObject({
      type: auth('basic'),
      username: text(256).meta({ description: 'User name.' }),
      password: secret().meta({ description: 'Password.' }),
    }),
    z.strictObject({
      type: auth('oauth'),
      tokenUrl: httpUrl('any').meta({ description: 'Where tokens are given out, by client credentials.' }),
      clientId: text(256).meta({ description: 'The OAuth client.' }),
      clientSecret: secret().meta({ description: "The OAuth client's secret." }),
      scope: text(2048).optional().meta({ description: 'Asked for with the token.' }),
      audience: text(2048).optional().meta({ description: 'Asked for with the token, where the login wants it.' }),
      credentials: z.enum(['header', 'body']).prefault('header').meta({
        description: 'Where client and secret stand in the request for a token.',
      }),
    }),
  ])
  .optional();

/** `signature` of a sink of type `http`. */
export const SIGNATURE = z
  .strictObject({
    secret: secret().min(16).meta({ description: 'What both sides know; 16 characters at least.' }),
    header: HEADER_NAME.prefault('x-signature').meta({ description: 'The header that carries the signature.' }),
    algorithm: z.enum(['sha256', 'sha512']).prefault('sha256').meta({ description: 'Of the HMAC.' }),
  })
  .optional();

/** `tls` of a sink of type `http`: who we are at the target, and whom it alone is to be. */
export const CLIENT_TLS = z
  .strictObject({
    certFile: text()
      .optional()
      .meta({ description: "PEM file of this client's certificate, for targets that ask for one." }),
    keyFile: text().optional().meta({ description: "PEM file of that certificate's private key." }),
    passphrase: secret().optional().meta({ description: 'Of the private key, where it has one.' }),
    caFile: text().optional().meta({
      description: 'PEM file of authorities that this target and its login are trusted by, besides the usual ones.',
    }),
  })
  .optional();
