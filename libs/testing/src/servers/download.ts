import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestingError } from '../errors.ts';
import { tellingLine, type ManagedProcess, type ProcessGroup } from '../host/process-group.ts';

const KAFKA_VERSION = '4.1.2';
const APICURIO_VERSION = '2.6.13.Final';

/** Where the servers' jars lie. */
export interface Servers {
  readonly kafkaJars: string;
  readonly registryDir: string;
  readonly registryJar: string;
}

// Kafka's jars come without a logging backend, and without one there is no line that says "Kafka Server started".
const LOG4J_VERSION = '2.25.3';

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>genesys-kafka</groupId><artifactId>servers</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${LOG4J_VERSION}</version></dependency>
  </dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version>
    <executions>
      <execution>
        <id>kafka</id><phase>validate</phase><goals><goal>copy-dependencies</goal></goals>
        <configuration><includeScope>runtime</includeScope><outputDirectory>\${project.basedir}/kafka</outputDirectory></configuration>
      </execution>
      <execution>
        <id>registry</id><phase>validate</phase><goals><goal>unpack</goal></goals>
        <configuration>
          <artifactItems><artifactItem>
            <groupId>io.apicurio</groupId><artifactId>apicurio-registry-app</artifactId><version>${APICURIO_VERSION}</version>
            <type>tar.gz</type><classifier>all</classifier>
          </artifactItem></artifactItems>
          <outputDirectory>\${project.basedir}/registry</outputDirectory>
          <markersDirectory>\${project.basedir}/markers</markersDirectory>
        </configuration>
      </execution>
    </executions>
  </plugin></plugins></build>
</project>
`;

const STALE_LOCK_MS = 20_000;
const STALE_PARTIAL_MS = 3_600_000;
const DOWNLOAD_TIMEOUT_MS = 20 * 60_000;
const ATTEMPTS = 2;

export interface EnsureServersOptions {
  readonly group: ProcessGroup;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
  /** The cache's root; a directory per version lies below it. */
  readonly cacheDir?: string;
}

/** `$XDG_CACHE_HOME/genesys-kafka`, or `~/.cache/genesys-kafka`. */
export function defaultCacheDir(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'genesys-kafka');
}

/**
 * The servers' jars, from the cache or from Maven Central by way of `mvn` (the user's own settings and mirrors hold).
 * A directory of the cache appears whole or not at all: an interrupted download leaves only a partial one, swept later,
 * and of two downloads at once one wins. The lock merely spares the second the work.
 */
export async function ensureServers(options: EnsureServersOptions): Promise<Servers> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  // A changed pom is another directory: an old checkout and a new one share a cache.
  const digest = createHash('sha256').update(POM).digest('hex').slice(0, 8);
  const dir = join(cacheDir, `kafka-${KAFKA_VERSION}_apicurio-${APICURIO_VERSION}_${digest}`);
  if (!(await exists(dir))) {
    await mkdir(cacheDir, { recursive: true });
    await using lock = await lockDirectory(join(cacheDir, '.lock'), options, async () => exists(dir));
    if (lock.held && !(await exists(dir))) await download(cacheDir, dir, options);
  }
  const registryDir = join(dir, 'registry');
  return {
    kafkaJars: join(dir, 'kafka', '*'),
    registryDir,
    registryJar: join(registryDir, `apicurio-registry-app-${APICURIO_VERSION}-runner.jar`),
  };
}

async function download(cacheDir: string, dir: string, options: EnsureServersOptions): Promise<void> {
  await sweepPartials(cacheDir);
  const partial = await mkdtemp(join(cacheDir, '.partial-'));
  try {
    await writeFile(join(partial, 'pom.xml'), POM);
    await resolve(partial, options);
    await rename(partial, dir);
  } catch (error) {
    // Another run was faster and its directory stands: nothing has failed.
    if (!(await exists(dir))) throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function resolve(directory: string, options: EnsureServersOptions): Promise<void> {
  const { group, onProgress, signal } = options;
  onProgress(`downloading Kafka ${KAFKA_VERSION} and Apicurio Registry ${APICURIO_VERSION} with Maven (200 MB, once)`);
  for (let attempt = 1; ; attempt += 1) {
    const startedMs = performance.now();
    const maven = await startMaven(directory, group);
    const ticker = setInterval(() => {
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      onProgress(`still downloading, ${seconds} s`);
      if (seconds * 1000 > DOWNLOAD_TIMEOUT_MS) maven.kill('SIGKILL');
    }, 10_000);
    const exit = await maven.exited.finally(() => clearInterval(ticker));
    signal.throwIfAborted();
    if (exit.code === 0) return;
    const reason = tellingLine(maven.output());
    if (attempt === ATTEMPTS)
      throw new TestingError('provider-unavailable', `Maven could not download the servers (${reason}).`);
    onProgress(`the download failed, once more: ${reason}`);
  }
}

async function startMaven(directory: string, group: ProcessGroup): Promise<ManagedProcess> {
  try {
    // -U: an earlier failure is remembered in the local repository, and must not decide this one.
    return await group.spawn('maven', 'mvn', ['-B', '-q', '-U', 'validate'], { cwd: directory });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const what = 'The servers are not in the cache yet, and there is no Maven (mvn) on the path.';
    throw new TestingError('provider-unavailable', what, { cause: error });
  }
}

async function sweepPartials(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith('.partial-')) continue;
    const path = join(cacheDir, name);
    if ((await ageMs(path)) > STALE_PARTIAL_MS) await rm(path, { recursive: true, force: true });
  }
}

interface DirectoryLock extends AsyncDisposable {
  /** False when waiting became pointless before the lock was free. */
  readonly held: boolean;
}

/** A lock that survives its holder's death: the holder touches it, and one untouched for 20 s is taken over. */
async function lockDirectory(
  path: string,
  options: EnsureServersOptions,
  pointless: () => Promise<boolean>,
): Promise<DirectoryLock> {
  for (let told = false; ; told = true) {
    try {
      await mkdir(path);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (await pointless()) return { held: false, [Symbol.asyncDispose]: async () => undefined };
    if ((await ageMs(path)) > STALE_LOCK_MS) {
      await rm(path, { recursive: true, force: true });
      continue;
    }
    if (!told) options.onProgress('another run is downloading the servers: waiting for it');
    await delay(250, undefined, { signal: options.signal });
  }
  const touch = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), STALE_LOCK_MS / 10);
  return {
    held: true,
    async [Symbol.asyncDispose]() {
      clearInterval(touch);
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
}
