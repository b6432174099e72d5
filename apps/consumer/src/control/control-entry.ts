import { z } from 'zod';

/** That a route was paused or goes on: who said so, when and why. */
export interface PauseEntry {
  readonly state: 'paused' | 'running';
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly reason?: string | undefined;
}

/** Where a route that does not begin at the start of the topic began, by partition: it counts once, for good. */
export interface StartEntry {
  /** As it was configured. */
  readonly from: string;
  readonly at: string;
  readonly offsets: ReadonlyMap<number, bigint>;
}

export type ControlEntry =
  | { readonly kind: 'pause'; readonly groupId: string; readonly pause: PauseEntry }
  | { readonly kind: 'start'; readonly groupId: string; readonly start: StartEntry };

const PAUSE = z.object({
  v: z.literal(1),
  state: z.enum(['paused', 'running']),
  at: z.string(),
  by: z.string(),
  reason: z.string().optional(),
});
const START = z.object({
  v: z.literal(1),
  from: z.string(),
  at: z.string(),
  offsets: z.record(z.string().regex(/^\d+$/), z.string().regex(/^\d+$/)),
});

export function formatControl(entry: ControlEntry): { readonly key: string; readonly value: Buffer } {
  const value = entry.kind === 'pause' ? entry.pause : { ...entry.start, offsets: textOf(entry.start.offsets) };
  return { key: `${entry.kind}/${entry.groupId}`, value: Buffer.from(JSON.stringify({ v: 1, ...value })) };
}

/** Undefined for what is no entry of ours, or of a later version; what it says of a route is then not known. */
export function parseControl(key: Buffer | null, value: Buffer | null): ControlEntry | undefined {
  const [, kind, groupId] = /^(pause|start)\/(.+)$/s.exec(key?.toString('utf8') ?? '') ?? [];
  if (groupId === undefined || value === null) return undefined;
  const json = jsonOf(value);
  if (kind === 'pause') {
    const { data } = PAUSE.safeParse(json);
    return (
      data && { kind: 'pause', groupId, pause: { state: data.state, at: data.at, by: data.by, reason: data.reason } }
    );
  }
  const { data } = START.safeParse(json);
  if (!data) return undefined;
  const offsets = new Map(
    Object.entries(data.offsets).map(([partition, offset]) => [Number(partition), BigInt(offset)]),
  );
  return { kind: 'start', groupId, start: { from: data.from, at: data.at, offsets } };
}

function textOf(offsets: ReadonlyMap<number, bigint>): Record<string, string> {
  return Object.fromEntries([...offsets].map(([partition, offset]) => [String(partition), String(offset)]));
}

function jsonOf(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}
