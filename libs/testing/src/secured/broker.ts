import { clientAuthority, expiredPair, strangerPair, trustedPair, type KeyPair } from './certificates.ts';
import type { ExtraListener, Login, StackOptions } from '../provider.ts';

/** Who may log in at `LOGIN`; has no rights until they are granted. */
export const securedUser: Login = { username: 'app', password: 'canary-right-password' };

/**
 * A broker as a company runs it: TLS, logins and rights. `LOGIN` wants a login over TLS, `MUTUAL` a certificate,
 * and either allows only what is granted; `EXPIRED` and `STRANGER` show bad certificates. Who comes without TLS, as the brokers and the tests themselves, may do
 * everything.
 */
export const secured = {
  properties: {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  },
  listeners: [
    {
      name: 'LOGIN',
      protocol: 'SASL_SSL',
      properties: {
        ...keyStore(trustedPair),
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
        'plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${securedUser.username}="${securedUser.password}";`,
        'scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      },
    },
    {
      name: 'MUTUAL',
      protocol: 'SSL',
      properties: {
        ...keyStore(trustedPair),
        'ssl.client.auth': 'required',
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.certificates': clientAuthority,
        'ssl.principal.mapping.rules': 'RULE:^CN=(.*)$/$1/',
      },
    },
    { name: 'EXPIRED', protocol: 'SSL', properties: keyStore(expiredPair) },
    { name: 'STRANGER', protocol: 'SSL', properties: keyStore(strangerPair) },
  ] as const satisfies readonly ExtraListener[],
  scramUsers: [securedUser],
} satisfies StackOptions;

function keyStore({ cert, key }: KeyPair): Record<string, string> {
  return { 'ssl.keystore.type': 'PEM', 'ssl.keystore.certificate.chain': cert, 'ssl.keystore.key': key };
}
