import { GenesysError } from './errors.ts';

interface RegionOrigins {
  readonly apiUrl: string;
  readonly loginUrl: string;
  /** Hosts from which signed archive links of this region may be fetched. */
  readonly fileHosts: readonly string[];
}

/**
 * Genesys Cloud's regions by AWS region, from the JavaScript SDK 262 (docs/genesys-cloud.md, "Regions"). The list grows
 * by itself: it only helps those who write the AWS name, and is never a closed set.
 */
const HOSTS_BY_AWS_REGION: ReadonlyMap<string, string> = new Map([
  ['us-east-1', 'mypurecloud.com'],
  ['us-east-2', 'use2.us-gov-pure.cloud'],
  ['us-west-2', 'usw2.pure.cloud'],
  ['ca-central-1', 'cac1.pure.cloud'],
  ['sa-east-1', 'sae1.pure.cloud'],
  ['mx-central-1', 'mxc1.pure.cloud'],
  ['eu-west-1', 'mypurecloud.ie'],
  ['eu-west-2', 'euw2.pure.cloud'],
  ['eu-central-1', 'mypurecloud.de'],
  ['eu-central-2', 'euc2.pure.cloud'],
  ['me-central-1', 'mec1.pure.cloud'],
  ['ap-south-1', 'aps1.pure.cloud'],
  ['ap-southeast-1', 'apse1.pure.cloud'],
  ['ap-southeast-2', 'mypurecloud.com.au'],
  ['ap-northeast-1', 'mypurecloud.jp'],
  ['ap-northeast-2', 'apne2.pure.cloud'],
  ['ap-northeast-3', 'apne3.pure.cloud'],
]);

const HOST = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/**
 * The origins of a region, named by its host, e.g. `mypurecloud.de`. Any well-formed host passes, as new regions come
 * without a new version of this; a malformed one raises `genesys-settings`, which knows the AWS names.
 */
export function regionOrigins(region: string): RegionOrigins {
  const host = region.trim().toLowerCase();
  const meant = HOSTS_BY_AWS_REGION.get(host.replaceAll('_', '-'));
  if (meant !== undefined) throw unusable(`is written as its host: ${meant}`);
  if (!HOST.test(host)) {
    throw unusable('is not a host name; it looks like mypurecloud.de or usw2.pure.cloud');
  }
  if (/^(api|login|apps)\./.test(host)) {
    throw unusable('is written without "api.", "login." or "apps."');
  }
  return { apiUrl: `https://api.${host}`, loginUrl: `https://login.${host}`, fileHosts: [`files.${host}`] };
}

function unusable(problem: string): GenesysError {
  return new GenesysError('genesys-settings', `The Genesys region ${problem}.`);
}
