import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestingError } from '../errors.ts';
import { tellingLine, type ManagedProcess, type ProcessGroup } from '../host/process-group.ts';
import { cachedDirectory, type CacheOptions } from './cache.ts';

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

const DOWNLOAD_TIMEOUT_MS = 20 * 60_000;
const ATTEMPTS = 2;

export interface EnsureServersOptions extends CacheOptions {
  readonly group: ProcessGroup;
}

/** The servers' jars, from the cache or from Maven Central by way of `mvn` (the user's own settings and mirrors hold). */
export async function ensureServers(options: EnsureServersOptions): Promise<Servers> {
  // A changed pom is another directory: an old checkout and a new one share a cache.
  const digest = createHash('sha256').update(POM).digest('hex').slice(0, 8);
  const name = `kafka-${KAFKA_VERSION}_apicurio-${APICURIO_VERSION}_${digest}`;
  const dir = await cachedDirectory(name, options, async (partial) => {
    await writeFile(join(partial, 'pom.xml'), POM);
    await resolve(partial, options);
  });
  const registryDir = join(dir, 'registry');
  return {
    kafkaJars: join(dir, 'kafka', '*'),
    registryDir,
    registryJar: join(registryDir, `apicurio-registry-app-${APICURIO_VERSION}-runner.jar`),
  };
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
