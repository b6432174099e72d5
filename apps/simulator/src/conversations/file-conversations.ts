import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { readValues, ValuesError } from '@genesys-kafka/record-parser/values';
import { instantMs } from '../genesys/interval.ts';
import { openNameless } from '../nameless-file.ts';
import { SimulatorOptionsError } from '../options.ts';
import { ANYBODY } from './conversations.ts';
import type { Conversations, Lifetime, Reach } from './conversations.ts';

const WRITE_BYTES = 1024 * 1024;

/** Where each record lies in the spooled file, and when it lived: 28 bytes a record. */
interface Index {
  /** Records in the order of their start, as numbers of the entries below, which are in the file's order. */
  readonly order: Uint32Array;
  readonly startMs: readonly number[];
  /** NaN while open. */
  readonly endMs: readonly number[];
  /** One more than there are records: a record ends where the next begins. */
  readonly offsets: readonly number[];
}

interface Facts {
  readonly conversationId?: unknown;
  readonly originatingDirection?: unknown;
  readonly participants?: readonly { readonly sessions?: readonly { readonly mediaType?: unknown }[] }[];
}

/**
 * Conversations of the user's own. They are spooled to disk as JSON of one line each, with numbers as they were spelled,
 * and read back one at a time.
 */
export class FileConversations implements Conversations {
  readonly edition = 0;
  readonly records: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly #index: Index;
  readonly #spool: FileHandle;
  readonly #isChanged: boolean;

  constructor(index: Index, spool: FileHandle, isChanged = false) {
    this.#index = index;
    this.#spool = spool;
    this.#isChanged = isChanged;
    this.records = index.order.length;
    this.fromMs = this.startMs(0);
    this.toMs = this.startMs(this.records - 1) + 1;
  }

  startMs(index: number): number {
    return this.#index.startMs[this.#index.order[index]!]!;
  }

  lifetime(index: number): Lifetime {
    const endMs = this.#index.endMs[this.#index.order[index]!]!;
    return { startMs: this.startMs(index), endMs: Number.isNaN(endMs) ? undefined : endMs };
  }

  has(): boolean {
    return true;
  }

  reach(): Reach {
    return ANYBODY;
  }

  id(index: number): string | undefined {
    return asText(this.#facts(index).conversationId);
  }

  mediaTypes(index: number): readonly string[] {
    const sessions = (this.#facts(index).participants ?? []).flatMap((participant) => participant.sessions ?? []);
    return sessions.flatMap(({ mediaType }) => asText(mediaType) ?? []);
  }

  direction(index: number): string | undefined {
    return asText(this.#facts(index).originatingDirection);
  }

  text(index: number): string {
    const entry = this.#index.order[index]!;
    const offset = this.#index.offsets[entry]!;
    const bytes = Buffer.allocUnsafe(this.#index.offsets[entry + 1]! - offset);
    readSync(this.#spool.fd, bytes, 0, bytes.length, offset);
    const text = bytes.toString();
    return this.#isChanged ? text.replace('{', '{"changed":true,') : text;
  }

  changed(): Conversations {
    return new FileConversations(this.#index, this.#spool, true);
  }

  async close(): Promise<void> {
    await this.#spool.close();
  }

  #facts(index: number): Facts {
    return JSON.parse(this.text(index)) as Facts;
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/**
 * Reads a file of conversations, of any size and in any order: a JSON array, an object with `conversations`, or one
 * after the other, plain or gzip.
 * @throws SimulatorOptionsError for a file that cannot be used, naming the record; Node's own error for a full disk.
 */
export async function openFileConversations(file: string): Promise<FileConversations> {
  const spool = await openNameless();
  try {
    return new FileConversations(await spoolAll(file, spool), spool);
  } catch (error) {
    await spool.close();
    if (error instanceof ValuesError) throw unusable(file, error.message);
    throw error;
  }
}

async function spoolAll(file: string, spool: FileHandle): Promise<Index> {
  const startMs: number[] = [];
  const endMs: number[] = [];
  const offsets = [0];
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  const flush = async () => {
    await spool.appendFile(Buffer.concat(pending));
    pending = [];
    pendingBytes = 0;
  };
  for await (const { ordinal, value } of readValues(file, { exactNumbers: true })) {
    const { conversationStart, conversationEnd = null } = (value ?? {}) as Record<string, unknown>;
    const start = instantMs(conversationStart);
    const end = conversationEnd === null ? NaN : instantMs(conversationEnd);
    if (start === undefined) throw unusable(file, `conversationStart of record ${ordinal} is not an instant.`);
    if (end === undefined) throw unusable(file, `conversationEnd of record ${ordinal} is not an instant.`);
    const bytes = Buffer.from(JSON.stringify(value));
    startMs.push(start);
    endMs.push(end);
    offsets.push(offsets.at(-1)! + bytes.length);
    pending.push(bytes);
    pendingBytes += bytes.length;
    if (pendingBytes >= WRITE_BYTES) await flush();
  }
  await flush();
  if (startMs.length === 0) throw unusable(file, 'there are no conversations in it.');
  // Equal starts stay in the file's order.
  const order = Uint32Array.from(startMs.keys()).sort((a, b) => startMs[a]! - startMs[b]! || a - b);
  return { order, startMs, endMs, offsets };
}

function unusable(file: string, problem: string): SimulatorOptionsError {
  return new SimulatorOptionsError([`population: ${file}: ${problem}`]);
}
