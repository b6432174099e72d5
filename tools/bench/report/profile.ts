import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What V8 writes with `--cpu-prof`, of one thread: times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Where one thread spent its time. */
export interface ThreadTime {
  readonly thread: string;
  readonly busySeconds: number;
  /** Shares of that, the largest first. */
  readonly places: readonly { readonly name: string; readonly share: number }[];
}

const OUTSIDE = new Map([
  ['(garbage collector)', 'collecting garbage'],
  ['(program)', 'outside JavaScript'],
]);
/** Node's own modules that do something of their own; the others work for whoever calls them. */
const DOING = new Map([
  ['node:zlib', 'zlib and zstd'],
  ['node:internal/crypto/hash', 'SHA-256'],
  ['node:net', 'sockets'],
  ['node:internal/stream_base_commons', 'sockets'],
  ['node:internal/modules/esm/loader', 'loading modules'],
]);

/** Time is charged to the room of the innermost frame that belongs to one: a library of ours, a package, or work of Node's own. */
export function timeOf(thread: string, { nodes, samples, timeDeltas }: CpuProfile): ThreadTime {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id] as const)));
  const placeOf = (id: number | undefined): string => {
    const frame = id === undefined ? undefined : byId.get(id)?.callFrame;
    if (!frame) return 'Node itself';
    return OUTSIDE.get(frame.functionName) ?? roomOf(frame.url) ?? placeOf(callers.get(id!));
  };
  const seconds = new Map<string, number>();
  let busySeconds = 0;
  samples.forEach((id, at) => {
    if (byId.get(id)!.callFrame.functionName === '(idle)') return;
    const spent = timeDeltas[at]! / 1e6;
    busySeconds += spent;
    const place = placeOf(id);
    seconds.set(place, (seconds.get(place) ?? 0) + spent);
  });
  const places = [...seconds]
    .map(([name, spent]) => ({ name, share: spent / busySeconds }))
    .toSorted((one, other) => other.share - one.share);
  return { thread, busySeconds, places };
}

/** `archive/unpack`, `kafkajs`, `zlib and zstd`; undefined for what belongs to nobody. */
function roomOf(url: string): string | undefined {
  const [, installed] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
  if (installed !== undefined) return installed;
  const [, library, room] = /\/(?:libs|apps)\/([^/]+)\/src\/([^/.]+)/.exec(url) ?? [];
  if (library !== undefined) return `${library}/${room}`;
  return [...DOING].find(([module]) => url === module || url.startsWith(`${module}/`))?.[1];
}

/** The profiles that one run of the producer has left in `dir`: of its main thread, then of those that stage. */
export async function readProfiles(dir: string): Promise<ThreadTime[]> {
  const files = (await readdir(dir)).map((file) => ({ file, thread: Number(file.split('.').at(-3)) }));
  const inOrder = files.toSorted((one, other) => one.thread - other.thread);
  return Promise.all(
    inOrder.map(async ({ file }, at) => {
      const profile = JSON.parse(await readFile(join(dir, file), 'utf8')) as CpuProfile;
      return timeOf(
        at === 0 ? 'main thread' : inOrder.length === 2 ? 'staging thread' : `staging thread ${at}`,
        profile,
      );
    }),
  );
}

export const PROFILE_HEAD = ['', 's', 'share'] as const;
/** Less than this of a thread's time is told together. */
const LEAST_SHARE = 0.02;

export function profileCells({ busySeconds, places }: ThreadTime): string[][] {
  const row = (name: string, share: number) => [
    name,
    (share * busySeconds).toFixed(2),
    `${(share * 100).toFixed(0)} %`,
  ];
  const [large, small] = [
    places.filter(({ share }) => share >= LEAST_SHARE),
    places.filter(({ share }) => share < LEAST_SHARE),
  ];
  return [
    ...large.map(({ name, share }) => row(name, share)),
    row(
      'the rest',
      small.reduce((sum, { share }) => sum + share, 0),
    ),
    row('busy in all', 1),
  ];
}
