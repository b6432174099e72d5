import { constants } from 'node:fs';
import { access, mkdir, open, readlink, realpath, rename, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SinkError } from '../errors.ts';

const LF = 0x0a;
const OPENING_BRACE = 0x7b;
const CHUNK_BYTES = 65_536;

/**
 * Opens an NDJSON file for appending and repairs a last line that a crash cut short: a whole
 * JSON value gets its line end, anything else goes, since it was never acknowledged. A file that does not begin like
 * ours is left alone: `sink-file-unusable`.
 */
export async function openNdjson(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o640);
  try {
    const before = await handle.stat();
    if (!before.isFile()) throw notNdjson(path, 'is not a regular file');
    if (before.size > 0) await repair(handle, path, before.size);
    await handle.datasync();
    await syncDirectory(path);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * As `mkdir -p`. Node's own tries for ever where a file system answers ENOENT though the parent is there, as /proc does,
 * and says ENOENT where one is read-only.
 */
async function makeDirectory(path: string): Promise<void> {
  const isThere = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return false;
    },
  );
  if (isThere) return;
  if (dirname(path) !== path) await makeDirectory(dirname(path));
  await mkdir(path).catch((error: unknown) => {
    // Made by somebody else meanwhile; or a file, which whoever opens what is below it is told.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
}

/**
 * Where a path leads, over whatever links, and with its directory made: that is what is locked and renamed. Of a link
 * that were renamed itself, the next file would stand in its place, on another disk.
 */
export async function linkedFile(path: string): Promise<string> {
  await makeDirectory(dirname(path));
  const found = await realpath(path).catch(unlessMissing);
  if (found !== undefined) return found;
  const [directory, link] = await Promise.all([realpath(dirname(path)), readlink(path).catch(unlessMissing)]);
  return link === undefined ? join(directory, basename(path)) : linkedFile(resolve(directory, link));
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** Whether `openNdjson` could work, without changing a file. Rejects with `sink-file-unusable` or a system error. */
export async function checkNdjson(path: string): Promise<void> {
  await access(dirname(await linkedFile(path)), constants.W_OK);
  const found = await stat(path).catch(unlessMissing);
  if (!found) return;
  if (!found.isFile()) throw notNdjson(path, 'is not a regular file');
  await access(path, constants.R_OK | constants.W_OK);
  const handle = await open(path, 'r');
  try {
    if (found.size > 0) await checkFirstLine(handle, path);
  } finally {
    await handle.close();
  }
}

/** Renames a full file to `<path>.<moment>`, with a number where that name is taken. */
export async function rotateNdjson(path: string, nowMs: number): Promise<void> {
  const stem = `${path}.${new Date(nowMs).toISOString().replaceAll(/[-:]/g, '')}`;
  for (let n = 0; ; n += 1) {
    const name = n === 0 ? stem : `${stem}.${n}`;
    const taken = await stat(name).then(
      () => true,
      () => false,
    );
    if (taken) continue;
    await rename(path, name);
    await syncDirectory(path);
    return;
  }
}

async function repair(handle: FileHandle, path: string, size: number): Promise<void> {
  await checkFirstLine(handle, path);
  const tail: Buffer[] = [];
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const chunk = await readExactly(handle, start, end - start);
    const newline = chunk.lastIndexOf(LF);
    if (newline !== -1) {
      tail.unshift(chunk.subarray(newline + 1));
      end = start + newline + 1;
      break;
    }
    tail.unshift(chunk);
    end = start;
  }
  if (end === size) return;
  if (isJson(Buffer.concat(tail))) await handle.appendFile('\n');
  else await handle.truncate(end);
}

/**
 * Whose file it is shows by its first line: a record, or what a crash has left of one. The JSON of somebody else, over
 * several lines, begins with the same byte.
 */
async function checkFirstLine(handle: FileHandle, path: string): Promise<void> {
  const line: Buffer[] = [];
  for (let position = 0; ; position += CHUNK_BYTES) {
    const chunk = await readExactly(handle, position, CHUNK_BYTES);
    const newline = chunk.indexOf(LF);
    line.push(newline === -1 ? chunk : chunk.subarray(0, newline));
    const isOurs = line[0]![0] === OPENING_BRACE && (newline === -1 || isJson(Buffer.concat(line)));
    if (!isOurs) throw notNdjson(path, 'holds something else than records, one JSON object a line');
    if (newline !== -1 || chunk.length < CHUNK_BYTES) return;
  }
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/** A new name is durable only once its directory is. Some file systems cannot sync a directory, and need not. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await directory.close();
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function notNdjson(path: string, problem: string): SinkError {
  return new SinkError('sink-file-unusable', `${path} ${problem}.`, {
    remedy: "Name another file for the sink's `path`.",
  });
}
