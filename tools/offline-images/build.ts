/**
 * `npm run offline-images`: the images that tests, docker/Dockerfile and docker/compose.yaml would pull, made under
 * their usual names of Debian's packages, Maven's jars and npm's Node. Those that are there stay; with `--pull` those
 * that a registry has are taken from there. See README.md.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { ensureServers, ProcessGroup, stackImages, type Servers } from '@genesys-kafka/testing';

const DEBIAN_IMAGE = 'debian:bookworm-slim';
const JAVA_IMAGE = 'genesys-kafka-offline-java';
const NPM = 'npm@^11';
/** Left out of every package, as in Debian's own slim images. */
const LEFT_OUT = ['man', 'doc', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

const exec = promisify(execFile);
const say = (line: string) => void process.stderr.write(`offline images: ${line}\n`);
const here = import.meta.dirname;
const work = await mkdtemp(join(tmpdir(), 'offline-images-'));

try {
  await main();
} finally {
  await rm(work, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const names = { node: await nodeImage(), ...stackImages() };
  const { pull } = parseArgs({ options: { pull: { type: 'boolean' } } }).values;
  const there = await Promise.all(
    Object.values(names).map(async (name) => (await isThere(name)) || (pull && (await isPulled(name)))),
  );
  if (there.every(Boolean)) {
    say('all are there');
    return;
  }
  const jars = servers();
  await make(DEBIAN_IMAGE, importDebian);
  await Promise.all([
    make(names.node, buildNode),
    (async () => {
      await make(JAVA_IMAGE, async (name) => build(name, 'java'));
      const dir = dirname((await jars).registryDir);
      await make(names.kafka, async (name) => build(name, 'kafka', ['-C', dir, 'kafka']));
      await make(names.registry, async (name) => build(name, 'registry', ['-C', dir, 'registry']));
    })(),
  ]);
}

/** The image that docker/Dockerfile is based on. */
async function nodeImage(): Promise<string> {
  const dockerfile = await readFile(join(here, '../../docker/Dockerfile'), 'utf8');
  return /^ARG BASE_IMAGE=(\S+)$/m.exec(dockerfile)![1]!;
}

async function isThere(name: string): Promise<boolean> {
  const listed = await exec('docker', ['image', 'ls', '--quiet', name]);
  return listed.stdout !== '';
}

async function isPulled(name: string): Promise<boolean> {
  return exec('docker', ['pull', '--quiet', name]).then(
    () => true,
    (error: unknown) => {
      say(`not pulled: ${(error as Error).message.trim().split('\n').at(-1)}`);
      return false;
    },
  );
}

async function make(name: string, how: (name: string) => Promise<void>): Promise<void> {
  if (await isThere(name)) {
    say(`${name} is there`);
    return;
  }
  const startedMs = performance.now();
  await how(name);
  say(`${name} took ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}

/** A tree of packages from the mirrors of this machine's apt, with the certificate authorities this machine trusts. */
async function importDebian(name: string): Promise<void> {
  const tree = join(work, 'debian.tar');
  const trust = `--customize-hook=cp ${AUTHORITIES} "$1${AUTHORITIES}"`;
  const include = ['--variant=minbase', '--include=ca-certificates'];
  await exec('mmdebstrap', ['--quiet', ...include, ...LEFT_OUT, trust, 'bookworm', tree]);
  await exec('docker', ['import', '--change', 'CMD ["bash"]', tree, name]);
  await rm(tree);
}

/** The Node that runs this, which came from npm, and npm itself. */
async function buildNode(name: string): Promise<void> {
  const packed = await exec('npm', ['pack', '--silent', '--pack-destination', work, NPM]);
  const npm = ['-C', work, packed.stdout.trim()];
  await build(name, 'node', [...npm, '-C', dirname(process.execPath), 'node']);
}

/** The jars that plain processes run on, from the same cache. */
async function servers(): Promise<Servers> {
  await using group = new ProcessGroup({ logsDir: work, onSpawn: () => undefined, onExit: () => undefined });
  return await ensureServers({ group, onProgress: say, signal: new AbortController().signal });
}

/** Builds a folder beside this file, with `more` (arguments of tar) in its context. */
async function build(name: string, folder: string, more: readonly string[] = []): Promise<void> {
  const script = 'set -o pipefail; tar -c "${@:2}" | docker build --quiet --tag "$1" -';
  await exec('bash', ['-c', script, 'build', name, '-C', join(here, folder), '.', ...more], { maxBuffer: 2 ** 26 });
}
