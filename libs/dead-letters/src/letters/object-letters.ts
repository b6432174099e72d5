import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { ListedObject } from '@genesys-kafka/object-store';
import { decodeLetter, type ReadLine } from '../objects/letter-line.ts';
import type { LetterPlace } from '../objects/letter-place.ts';
import { parseObjectPath, pathPart } from '../objects/letter-path.ts';
import { readObjectMarks } from '../objects/object-marks.ts';
import { readListed } from '../objects/read-listed.ts';
import type { LetterFilter, LetterMarks, LetterStore } from './stored-dead-letter.ts';

/** Objects that are fetched and unpacked ahead of the one being read. */
const AHEAD = 4;
/** An object of this program unpacks to a few MiB, or to one dead letter; what is larger is somebody else's. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
const DAY_MS = 86_400_000;
/** Of a longer span, everything is listed. */
const MAX_DAYS_LISTED_SINGLY = 100;
const unzip = promisify(gunzip);

/** Dead letters in object storage, by day, route and cause. In memory are a few objects. */
export class ObjectLetters implements LetterStore {
  readonly #place: LetterPlace;
  readonly #signal: AbortSignal;
  unreadable = 0;
  /** Keys of objects that have the names of ours and could not be unpacked. */
  readonly damaged = new Set<string>();

  constructor(place: LetterPlace, signal: AbortSignal) {
    this.#place = place;
    this.#signal = signal;
  }

  async readMarks(marks: LetterMarks): Promise<void> {
    await readObjectMarks(this.#place, marks, this.#signal);
  }

  async *scan(filter: LetterFilter): ReturnType<LetterStore['scan']> {
    this.unreadable = 0;
    for await (const { key, lines } of this.objects(filter)) {
      for (const line of lines) {
        const read = decodeLetter(line);
        if (read) yield found(read, key);
        else this.unreadable += 1;
      }
    }
  }

  /** Objects that may hold what is asked for, by day; their lines as they are. */
  async *objects(
    filter: LetterFilter = {},
  ): AsyncGenerator<{ readonly key: string; readonly lines: readonly Buffer[] }> {
    const { prefix } = this.#place;
    const list = async () => (await this.#list(filter)).filter(({ key }) => mayHold(key.slice(prefix.length), filter));
    const objects = readListed(list, AHEAD, async (object) => this.#linesOf(object));
    for await (const { key, found = UNREADABLE } of objects) {
      if (found === UNREADABLE) this.damaged.add(key);
      yield { key, lines: found };
    }
  }

  async #list({ sinceMs, untilMs = Date.now() + DAY_MS }: LetterFilter): Promise<readonly ListedObject[]> {
    const { store, bucket, prefix } = this.#place;
    const list = async (under: string) => store.list({ bucket, key: prefix + under }, this.#signal);
    const days = sinceMs === undefined ? undefined : daysBetween(sinceMs, untilMs);
    if (!days) return list('');
    const listed: ListedObject[] = [];
    for (const day of days) listed.push(...(await list(`${day.replaceAll('-', '/')}/`)));
    return listed;
  }

  /** Undefined where the object is gone. */
  async #linesOf({ key, bytes }: ListedObject): Promise<readonly Buffer[] | undefined> {
    if (bytes > MAX_UNPACKED_BYTES) return UNREADABLE;
    const { store, bucket } = this.#place;
    const packed = await store.get({ bucket, key }, this.#signal);
    if (!packed) return undefined;
    try {
      return linesIn(await unzip(packed, { maxOutputLength: MAX_UNPACKED_BYTES }));
    } catch {
      return UNREADABLE;
    }
  }
}

/** Not gzip, damaged, or too large: told as something that cannot be read, with the others. */
const UNREADABLE: readonly Buffer[] = [Buffer.alloc(0)];

/** By its name: each line is asked again. */
function mayHold(path: string, { route, cause, sinceMs, untilMs }: LetterFilter): boolean {
  const folder = parseObjectPath(path);
  if (!folder) return false;
  const dayMs = Date.parse(folder.day);
  return (
    (route === undefined || folder.route === pathPart(route)) &&
    (cause === undefined || folder.cause === pathPart(cause)) &&
    (sinceMs === undefined || dayMs + DAY_MS > sinceMs) &&
    (untilMs === undefined || dayMs < untilMs)
  );
}

/** Undefined where they are too many to be asked for one by one. */
function daysBetween(sinceMs: number, untilMs: number): string[] | undefined {
  const first = Math.floor(sinceMs / DAY_MS);
  const count = Math.ceil(untilMs / DAY_MS) - first;
  if (count > MAX_DAYS_LISTED_SINGLY) return undefined;
  return Array.from({ length: Math.max(0, count) }, (_, index) =>
    new Date((first + index) * DAY_MS).toISOString().slice(0, 10),
  );
}

function linesIn(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const at = bytes.indexOf(0x0a, from);
    const to = at < 0 ? bytes.length : at;
    if (to > from) lines.push(bytes.subarray(from, to));
    from = to + 1;
  }
  return lines;
}

function found({ id, deadLetter, key, value, headers }: ReadLine, object: string) {
  return { id, deadLetter, key, place: { object }, value, headers };
}
