import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TestingError } from './errors.ts';
import { freePorts } from './free-port.ts';
import { ensureVersitygw } from './servers/versitygw.ts';

/** A running storage that speaks S3; closing it, or the end of this process however it comes, ends the server. */
export interface Storage extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface StorageOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

const READY_TIMEOUT_MS = 60_000;
const REGION = 'us-east-1';

/**
 * The storage at GENESYS_KAFKA_S3_ENDPOINT (with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or Versity's gateway in
 * front of a directory, as a plain process. Rejects with `provider-unavailable`, which says what it needs.
 */
export async function startStorage(options: StorageOptions = {}): Promise<Storage> {
  return fromEnvironment() ?? asProcess(options);
}

/** Why there can be no storage on this machine; undefined where `startStorage` is worth a try. */
export function missingStorage(): string | undefined {
  if (process.env.GENESYS_KAFKA_S3_ENDPOINT || !spawnSync('go', ['version']).error) return undefined;
  return 'no Go (go) on the path to build an S3 server with, and no GENESYS_KAFKA_S3_ENDPOINT';
}

function fromEnvironment(): Storage | undefined {
  const { GENESYS_KAFKA_S3_ENDPOINT: endpoint, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  if (endpoint === undefined || endpoint === '') return undefined;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    const what = 'GENESYS_KAFKA_S3_ENDPOINT is set without AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.';
    throw new TestingError('stack-setting', what);
  }
  return {
    endpoint,
    region: AWS_REGION ?? REGION,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function asProcess({ signal = new AbortController().signal, onProgress = () => undefined }: StorageOptions) {
  const program = await ensureVersitygw({ signal, onProgress }).catch((error: unknown) => {
    if (!(error instanceof TestingError)) throw error;
    const remedy =
      'It takes Go 1.25 or newer, for the first run, or the address of a storage in GENESYS_KAFKA_S3_ENDPOINT.';
    throw new TestingError('provider-unavailable', error.message, { remedy, cause: error });
  });
  const dir = await mkdtemp(join(tmpdir(), 'genesys-kafka-storage-'));
  // Attributes lie beside the files: not every file system has a place for them.
  const [files, attributes] = [join(dir, 'files'), join(dir, 'attributes')];
  await Promise.all([mkdir(files), mkdir(attributes)]);
  const [port] = await freePorts(1);
  const [accessKeyId, secretAccessKey] = ['storage-test-key', 'storage-test-secret'];
  const host = spawn(
    process.execPath,
    [
      fileURLToPath(import.meta.resolve('./host/storage-host.ts')),
      ...[dir, program, '--port', `127.0.0.1:${port}`, '--region', REGION, 'posix', '--sidecar', attributes, files],
    ],
    {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    },
  );
  const exited = new Promise<void>((resolve) => host.once('exit', () => resolve()));
  const said = text(host.stderr);
  const close = async () => {
    host.stdin.destroy();
    await exited;
  };
  const storage = { endpoint: `http://127.0.0.1:${port}`, region: REGION, accessKeyId, secretAccessKey };
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await answers(storage.endpoint))) {
    const isOver = host.exitCode !== null || performance.now() > deadlineMs || signal.aborted;
    if (isOver) {
      await close();
      signal.throwIfAborted();
      throw new TestingError('provider-unavailable', `The S3 server did not start: ${(await said).slice(-500)}`);
    }
    await delay(50);
  }
  return { ...storage, [Symbol.asyncDispose]: close };
}

/** Whatever it says: nobody may list buckets without a login. */
async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => true,
    () => false,
  );
}
