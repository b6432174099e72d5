import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestingError } from '../errors.ts';

const LEAST_VERSION = 17;

/**
 * For a Java that lives for minutes: without the second compiler, which takes the cores from the programs under test for
 * its first gigabytes. A fresh broker takes 780 MB in 17 s instead of 24 (two cores), a warm one is as fast.
 */
export const SHORT_LIVED = '-XX:TieredStopAtLevel=1';

/** The `java` to run: `$JAVA_HOME/bin/java`, or the one on the path. Rejects if there is none, or one before 17. */
export async function findJava(signal: AbortSignal, environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const home = environment.JAVA_HOME;
  const java = home ? join(home, 'bin', 'java') : 'java';
  const where = home ? `${java} (from JAVA_HOME)` : 'java on the path';
  let output: string;
  try {
    // `java -version` writes to stderr.
    output = (await promisify(execFile)(java, ['-version'], { signal })).stderr;
  } catch (error) {
    signal.throwIfAborted();
    throw new TestingError('provider-unavailable', `Cannot run ${where} (${(error as Error).message.trim()}).`, {
      cause: error,
    });
  }
  const version = javaMajorVersion(output);
  if (version === undefined || version < LEAST_VERSION) {
    throw new TestingError(
      'provider-unavailable',
      `The version of ${where} is ${version ?? 'unknown'}, and ${LEAST_VERSION} is needed.`,
    );
  }
  return java;
}

/** 17 of `openjdk version "17.0.15" …`, 8 of `java version "1.8.0_402"`. */
export function javaMajorVersion(output: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match === null ? undefined : Number(match[1]);
}
