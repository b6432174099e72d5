import { regionOrigins } from '@genesys-kafka/genesys-client';
import type { Settings } from '../settings.ts';

/** The region's hosts for signed links; those that are listed are `genesys.fileHosts`. */
export function regionFileHosts({ genesys: { region } }: Settings): readonly string[] {
  return region === undefined ? [] : regionOrigins(region).fileHosts;
}
