import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { ensureServers, ProcessGroup } from '@genesys-kafka/testing';
import { cached } from './cached.ts';

const SOURCES = join(import.meta.dirname, 'java');
const exec = promisify(execFile);

/**
 * The Java peers' classes, compiled against the jars of the stack's broker (kafka-clients, Jackson, zstd). Resolves with
 * how a main class is run. Rejects where there is no JDK, or no Maven and no jars.
 */
export async function javaPeers(
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<{ readonly version: string; readonly command: (main: string) => readonly string[] }> {
  const version = (await exec(tool('javac'), ['-version'], { signal })).stdout.trim();
  const jars = await kafkaJars(onProgress, signal);
  const names = (await readdir(SOURCES)).map((name) => join(SOURCES, name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(name)));
  const classes = await cached('bench-java', [version, jars, ...texts], async (dir) => {
    await exec(tool('javac'), ['-Werror', '-cp', jars, '-d', dir, ...names], { signal });
  });
  const classPath = [classes, jars].join(delimiter);
  // The heap that they need, and the collector for throughput: the default ones take as much CPU and up to twice the
  // memory.
  const flags = ['-Xmx256m', '-XX:+UseParallelGC'];
  return { version, command: (main) => [tool('java'), ...flags, '-cp', classPath, main] };
}

async function kafkaJars(onProgress: (line: string) => void, signal: AbortSignal): Promise<string> {
  const logsDir = await mkdtemp(join(tmpdir(), 'bench-maven-'));
  try {
    await using group = new ProcessGroup({ logsDir, onSpawn: () => undefined, onExit: () => undefined });
    return (await ensureServers({ group, onProgress, signal })).kafkaJars;
  } finally {
    await rm(logsDir, { recursive: true, force: true });
  }
}

function tool(name: 'java' | 'javac'): string {
  const home = process.env.JAVA_HOME;
  return home ? join(home, 'bin', name) : name;
}
