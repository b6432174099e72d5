import { errorsOf, type ErrorTable } from '@genesys-kafka/resilience';

/** Every code of this library. Scripts depend on the names; a new meaning is a new code. */
export const GENESYS_ERRORS = {
  'genesys-settings': {
    meaning: 'Settings of the Genesys connection make no sense.',
    remedy: 'Correct the configuration.',
    scope: 'usage',
  },
  // The login and what it may do.
  'login-failed': {
    meaning: 'The login host refused the client id or secret.',
    remedy:
      'Check the client id and the client secret, that the OAuth client has the grant type "Client Credentials", and ' +
      'that it belongs to this region.',
  },
  'login-unusable': {
    meaning: 'What answers at the login address gives no token: it is no login of Genesys Cloud.',
    remedy: 'Check the region or the login address, and whether a proxy or a portal answers in its place.',
  },
  'token-refused': {
    meaning: 'A token that had just been fetched was refused.',
    remedy:
      'Check that the API and the login address belong to the same region and that the OAuth client is still enabled.',
  },
  'permission-missing': {
    meaning: 'The login is good, its roles are not enough.',
    remedy: 'Give the OAuth client a role with this permission, for every division whose conversations are wanted.',
  },
  // The way there.
  'host-not-found': {
    meaning: 'The name of a Genesys host did not resolve.',
    remedy: "Check the spelling of the Genesys region or address, and this machine's name resolution.",
    retry: true,
  },
  'connection-failed': {
    meaning: 'No connection to Genesys could be made, or it broke.',
    remedy: 'Check network, firewall and proxy.',
    retry: true,
  },
  'proxy-failed': {
    meaning: 'The proxy could not connect to Genesys.',
    remedy: 'Check that the proxy of HTTPS_PROXY works, or add the host to NO_PROXY.',
    retry: true,
  },
  'proxy-refused': {
    meaning: 'The proxy refused to connect to Genesys.',
    remedy: 'Check HTTPS_PROXY and its login, or add the host to NO_PROXY.',
  },
  'tls-failed': {
    meaning: 'No secure connection comes about: the certificate or the handshake is not accepted.',
    remedy:
      'If a proxy or gateway of yours re-signs traffic, name its certificate authority in tls.caFile; otherwise check ' +
      'the address, and that what answers there has a valid certificate and speaks TLS 1.2 or later.',
  },
  timeout: {
    meaning: 'Nothing, or too little, came from Genesys for too long.',
    remedy: 'Try again later; if others reach Genesys fast, check network and proxy.',
    retry: true,
  },
  // What Genesys answers.
  'rate-limited': {
    meaning: 'Retries are spent on 429, or Genesys named a longer wait than a call may take.',
    remedy: 'Try again after that, lower the requests per second, or ask Genesys for a higher limit.',
    retry: true,
  },
  'server-error': {
    meaning: 'Retries are spent on 5xx and the like.',
    remedy: "The fault is on Genesys' side or between: try again later.",
    retry: true,
  },
  'bad-request': {
    meaning: 'Genesys refused the request itself.',
    remedy: 'Check the query, its interval and its filters.',
  },
  'submit-refused': {
    meaning: 'Genesys refused to make a job of the query for one window.',
    remedy: 'Check the query, its interval and its filters; a smaller --window may help.',
    scope: 'source',
  },
  'not-ready': {
    meaning: 'Genesys took a job and says, as often as it is asked, that there is nothing to be seen of it yet.',
    remedy: 'Nothing is lost: the same command again later waits for the same job.',
    retry: true,
    scope: 'source',
  },
  'job-gone': {
    meaning: 'The job is not, or no longer, known to Genesys.',
    remedy: 'Its results have expired or it was deleted: a new job for the same window is needed.',
    scope: 'source',
  },
  'cursor-refused': {
    meaning: 'Genesys does not accept the saved position in the results of a job.',
    remedy: 'Cursors expire: a new job for the same window is needed.',
    scope: 'source',
  },
  'bad-answer': {
    meaning: 'An answer is not what the contract says: not JSON, a field missing, an encoding nobody asked for.',
    remedy: 'Check that the address is the Genesys API and that nothing in between rewrites answers.',
    scope: 'source',
  },
  'answer-damaged': {
    meaning: 'The compressed body of an answer cannot be read.',
    remedy: 'Try again; if it stays so, check what lies between here and Genesys.',
    retry: true,
    scope: 'source',
  },
  'answer-too-large': {
    meaning: 'An answer is longer than its cap.',
    remedy: 'Use a smaller page size, or raise the limit if the memory is there.',
    scope: 'source',
  },
} as const satisfies ErrorTable;

/** Whatever goes wrong between this program and Genesys Cloud. */
export class GenesysError extends errorsOf(GENESYS_ERRORS) {}
