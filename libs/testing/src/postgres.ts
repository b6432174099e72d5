import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TestingError } from './errors.ts';
import { freePorts } from './free-port.ts';
import type { PostgresOrder, PostgresReport } from './host/postgres-host.ts';
import { ensurePostgres } from './servers/embedded-postgres.ts';

/** A running Postgres; closing it, or the end of this process however it comes, ends the server and removes its data. */
export interface Postgres extends AsyncDisposable {
  /** Of a superuser, password included, at the database `postgres`. */
  readonly url: string;
  /** As an operator would: sessions are ended with a word. Rejects where the environment names the server, like the next two. */
  stop(): Promise<void>;
  /** On the old data and port; resolves when it accepts connections. */
  start(): Promise<void>;
  /** As a crash would. */
  kill(): Promise<void>;
}

export interface PostgresOptions {
  /** Never the one that the environment names: a server to stop, to start and to log in to with a password. */
  readonly own?: boolean;
  /** Offers TLS with this certificate and key in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Server settings besides the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

const PASSWORD = 'postgres-test-password';

/**
 * The server at GENESYS_KAFKA_POSTGRES_URL, or Postgres from an npm package as a plain process, which for root is one of
 * the user nobody. Rejects with `provider-unavailable`, which says what it needs.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const url = process.env.GENESYS_KAFKA_POSTGRES_URL;
  if (url === undefined || url === '' || options.own || options.tls || options.settings) return asProcess(options);
  const refuse = async () => {
    throw new TestingError('stack-control', 'A Postgres named by the environment cannot be stopped or started here.');
  };
  return { url, stop: refuse, start: refuse, kill: refuse, [Symbol.asyncDispose]: async () => undefined };
}

async function asProcess(options: PostgresOptions): Promise<Postgres> {
  const { signal = new AbortController().signal, onProgress = () => undefined } = options;
  const native = await ensurePostgres({ signal, onProgress });
  const dir = await mkdtemp(join(tmpdir(), 'genesys-kafka-postgres-'));
  try {
    const uid = process.getuid?.() === 0 ? await idOfNobody() : undefined;
    const { program, args } = await prepare(dir, native, uid, options);
    const [port] = await freePorts(1);
    const host = fork(fileURLToPath(import.meta.resolve('./host/postgres-host.ts')), [
      ...[dir, String(uid ?? ''), program, ...args, '-p', String(port)],
    ]);
    const server = controls(host, port!);
    await server.start().catch(async (error: unknown) => {
      await server[Symbol.asyncDispose]();
      throw error;
    });
    return server;
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

function controls(host: ChildProcess, port: number): Postgres {
  const exited = once(host, 'exit');
  const order = async (what: PostgresOrder) => {
    host.send(what);
    for (;;) {
      const [report] = (await once(host, 'message')) as [PostgresReport];
      if (report.order !== what) continue;
      if (report.failure === undefined) return;
      throw new TestingError('provider-unavailable', `Postgres did not start: ${report.failure.slice(-500)}`);
    }
  };
  return {
    url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
    start: async () => order('start'),
    stop: async () => order('stop'),
    kill: async () => order('kill'),
    [Symbol.asyncDispose]: async () => {
      if (host.connected) host.disconnect();
      await exited;
    },
  };
}

/** A database directory, owned by whoever the server will run as; the command that serves it. */
async function prepare(dir: string, native: string, uid: number | undefined, { tls, settings }: PostgresOptions) {
  // What lies in root's home, as the cache does, nobody can run.
  const home = uid === undefined ? native : join(dir, 'postgres');
  if (uid !== undefined) await cp(native, home, { recursive: true, verbatimSymlinks: true });
  const owned = async (name: string, text: string) => {
    const path = join(dir, name);
    await writeFile(path, text, { mode: 0o600 });
    if (uid !== undefined) await chown(path, uid, uid);
    return path;
  };
  if (uid !== undefined) await chown(dir, uid, uid);
  await chmod(dir, 0o700);
  const data = join(dir, 'data');
  const password = await owned('password', PASSWORD);
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '--pwfile', password, '-E', 'UTF8'];
  const user = uid === undefined ? {} : { uid, gid: uid };
  await promisify(execFile)(join(home, 'bin', 'initdb'), [...initdb, '--locale=C', '--no-sync'], { ...user, cwd: dir });
  const chosen: Record<string, string> = { listen_addresses: '127.0.0.1', ...settings };
  if (tls) {
    const [cert, key] = [await owned('server.crt', tls.cert), await owned('server.key', tls.key)];
    Object.assign(chosen, { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key });
  }
  const args = Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return { program: join(home, 'bin', 'postgres'), args: ['-D', data, '-k', '', ...args] };
}

/** Postgres looks its user up by number, so one that exists is needed; this one does nearly everywhere. */
async function idOfNobody(): Promise<number> {
  const line = /^nobody:[^:]*:(\d+):/m.exec(await readFile('/etc/passwd', 'utf8'));
  if (line) return Number(line[1]);
  const what = 'Postgres does not run as root, and there is no user nobody to run it as.';
  const remedy = 'Run as another user, or name a server in GENESYS_KAFKA_POSTGRES_URL.';
  throw new TestingError('provider-unavailable', what, { remedy });
}
