import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestingError } from '../errors.ts';
import { cachedDirectory, type CacheOptions } from './cache.ts';

const VERSION = 'v1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;

/** The path of Versity's S3 gateway, from the cache or built with Go (about a minute, once). */
export async function ensureVersitygw(options: CacheOptions): Promise<string> {
  const dir = await cachedDirectory(`versitygw-${VERSION}`, options, async (partial) => {
    options.onProgress(`building the S3 server ${MODULE} with Go (about a minute, once)`);
    try {
      const env = { ...process.env, GOBIN: partial, CGO_ENABLED: '0' };
      await promisify(execFile)('go', ['install', MODULE], { env, signal: options.signal });
    } catch (error) {
      options.signal.throwIfAborted();
      throw new TestingError('provider-unavailable', reasonOf(error as NodeJS.ErrnoException & { stderr?: string }), {
        cause: error,
      });
    }
  });
  return join(dir, 'versitygw');
}

function reasonOf({ code, stderr, message }: NodeJS.ErrnoException & { stderr?: string }): string {
  if (code === 'ENOENT') return 'The S3 server is not in the cache yet, and there is no Go (go) on the path.';
  const last = (stderr ?? message).trim().split('\n').at(-1)!;
  return `Go could not build the S3 server (${last}).`;
}
