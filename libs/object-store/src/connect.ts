import type { Proxy } from '@genesys-kafka/http';
import type { ObjectStore } from './object-store.ts';
import type { S3Settings } from './settings.ts';

/** Loads the AWS SDK, which is slow, and asks nobody. Errors name the keys of `section`, where the settings stand. */
export async function connectObjectStore(
  settings: S3Settings,
  proxy: Proxy | undefined,
  section = 's3',
): Promise<ObjectStore> {
  const { sdkStore } = await import('./sdk-store.ts');
  return sdkStore(settings, proxy, section);
}
