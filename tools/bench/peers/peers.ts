import { join } from 'node:path';
import { javaPeers } from './java.ts';
import { pythonPeers } from './python.ts';

/** A pipeline of other people's making, for comparison: reads an archive from disk and publishes its records. */
export interface Peer {
  readonly name: PeerName;
  /** Whether it writes records anew, or publishes their own bytes. */
  readonly rewrites: boolean;
  /** Program and arguments, archive and topic excepted. */
  readonly command: readonly string[];
}

export interface MissingPeer {
  readonly name: PeerName;
  /** Why it cannot be run. */
  readonly missing: string;
}

export interface Peers {
  readonly present: readonly Peer[];
  readonly missing: readonly MissingPeer[];
  /** Of the tools that run them. */
  readonly versions: readonly string[];
}

type Toolchain = (
  onProgress: (line: string) => void,
  signal: AbortSignal,
) => Promise<{ readonly version: string; readonly command: (what: string) => readonly string[] }>;

interface PeerPlan {
  readonly toolchain: Toolchain;
  readonly program: string;
  readonly rewrites: boolean;
}

const nodePeers: Toolchain = async () => ({
  version: `Node ${process.versions.node}`,
  command: (script) => [process.execPath, join(import.meta.dirname, 'node', script)],
});

export const PEER_NAMES = [
  'java-bytes',
  'java-jackson-stream',
  'java-jackson-tree',
  'python',
  'node-textbook',
] as const;
export type PeerName = (typeof PEER_NAMES)[number];

const PLANS: Readonly<Record<PeerName, PeerPlan>> = {
  'java-bytes': { toolchain: javaPeers, program: 'ByteScan', rewrites: false },
  'java-jackson-stream': { toolchain: javaPeers, program: 'JacksonStream', rewrites: false },
  'java-jackson-tree': { toolchain: javaPeers, program: 'JacksonTree', rewrites: true },
  python: { toolchain: pythonPeers, program: 'guide.py', rewrites: true },
  'node-textbook': { toolchain: nodePeers, program: 'textbook.ts', rewrites: true },
};

/** Installs and compiles what the peers of these names need, once; says of each that cannot be had why. */
export async function preparePeers(
  names: readonly PeerName[],
  onProgress: (line: string) => void,
  signal: AbortSignal,
): Promise<Peers> {
  const present: Peer[] = [];
  const missing: MissingPeer[] = [];
  const versions: string[] = [];
  for (const [toolchain, group] of Map.groupBy(names, (name) => PLANS[name].toolchain)) {
    try {
      const { version, command } = await toolchain(onProgress, signal);
      versions.push(version);
      present.push(...group.map((name) => ({ name, ...runnable(PLANS[name], command) })));
    } catch (error) {
      signal.throwIfAborted();
      missing.push(...group.map((name) => ({ name, missing: reasonOf(error) })));
    }
  }
  return { present, missing, versions };
}

function runnable({ program, rewrites }: PeerPlan, command: (what: string) => readonly string[]) {
  return { rewrites, command: command(program) };
}

/** The last line that a tool wrote, or the error's own words. */
function reasonOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { readonly stderr?: string };
  return stderr.trim() === '' ? message : stderr.trim().split('\n').at(-1)!;
}
