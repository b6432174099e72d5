import { glob, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { ArchiveError } from './errors.ts';
import { readFailure } from './file-failures.ts';

/** What one argument of `publish SOURCE…` stands for. */
type SourceArgument =
  /** A link, to be spooled. `argument` is without its query string, which may be a signature, and without a login. */
  | { readonly argument: string; readonly kind: 'link'; readonly link: string }
  /** An object, or all whose keys begin so, in a storage that speaks S3. */
  | { readonly argument: string; readonly kind: 'objects' }
  /** Files in the order in which they are to be published. */
  | { readonly argument: string; readonly kind: 'files'; readonly paths: readonly string[] }
  /** Those of a directory, where empty parts and markers (`_SUCCESS`) lie beside what is meant. */
  | {
      readonly argument: string;
      readonly kind: 'directory';
      readonly paths: readonly string[];
      readonly passedOver: readonly string[];
    }
  /** A directory or a pattern without a file: this source is rejected, the others go on. */
  | { readonly argument: string; readonly kind: 'none'; readonly error: ArchiveError };

/**
 * One entry per argument, in their order, duplicates kept. A directory stands for the files right in it (hidden ones,
 * markers and subdirectories left out), a pattern for the files that match, both sorted by name; a path that exists is never
 * read as a pattern. A single path is passed on unread, so that a missing file is that source's own error; so is what
 * cannot be looked at among several, such as a link to nothing.
 * Throws ArchiveError `source-unsupported` (scope `usage`) for other schemes than `s3:`, `https:` and `http:`.
 */
export async function expandSources(args: readonly string[], cwd: string): Promise<SourceArgument[]> {
  for (const argument of args) checkScheme(argument);
  return Promise.all(args.map((argument) => expand(argument, cwd)));
}

function schemeOf(argument: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):/i.exec(argument)?.[1]?.toLowerCase();
}

function checkScheme(argument: string): void {
  const scheme = schemeOf(argument);
  if (argument === '') throw new ArchiveError('source-unsupported', 'An empty source is nothing to publish.');
  if (scheme === undefined || scheme === 's3' || scheme === 'https' || scheme === 'http') return;
  // A file name may hold a colon; only `scheme://` says that a link is meant.
  if (argument.startsWith('//', scheme.length + 1)) {
    throw new ArchiveError('source-unsupported', `${scheme}: sources are not supported.`);
  }
}

async function expand(argument: string, cwd: string): Promise<SourceArgument> {
  const scheme = schemeOf(argument);
  if (scheme === 's3') return { argument, kind: 'objects' };
  if (scheme === 'https' || scheme === 'http') {
    const shown = argument.replace(/[?#].*$/s, '').replace(/^(https?:\/*)[^/]*@/i, '$1');
    return { argument: shown, kind: 'link', link: argument };
  }
  const path = resolve(cwd, argument);
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) {
    try {
      return await directory(argument, path);
    } catch (error) {
      const failure = readFailure(error, path);
      if (failure instanceof ArchiveError) return { argument, kind: 'none', error: failure };
      throw failure;
    }
  }
  if (!stats && /[*?[{]/.test(argument)) return found(argument, await matches(argument, cwd), 'No file matches');
  return { argument, kind: 'files', paths: [path] };
}

function found(argument: string, paths: readonly string[], nothing: string): SourceArgument {
  if (paths.length > 0) return { argument, kind: 'files', paths };
  return { argument, kind: 'none', error: new ArchiveError('archive-missing', `${nothing} ${argument}.`) };
}

/** Names that begin with `_` are notes of the program that wrote the parts: Hadoop and Spark read them so too. */
async function directory(argument: string, path: string): Promise<SourceArgument> {
  const names = (await readdir(path)).filter((name) => !name.startsWith('.'));
  const [markers, parts] = [true, false].map((isMarker) => names.filter((name) => name.startsWith('_') === isMarker));
  const inIt = (some: readonly string[]) => onlyFiles(some.map((name) => join(path, name)));
  const source = found(argument, await inIt(parts!), 'There is no file in the directory');
  return source.kind === 'files' ? { ...source, kind: 'directory', passedOver: await inIt(markers!) } : source;
}

async function matches(pattern: string, cwd: string): Promise<string[]> {
  const relativePattern = isAbsolute(pattern) ? relative(cwd, pattern) : pattern;
  const paths: string[] = [];
  for await (const path of glob(relativePattern, { cwd })) paths.push(resolve(cwd, path));
  return onlyFiles(paths);
}

/** Sorted by code unit, so that the order is the same on every machine. What cannot be looked at is kept: opening tells why. */
async function onlyFiles(paths: readonly string[]): Promise<string[]> {
  const kept: string[] = [];
  for (const path of paths.toSorted()) {
    const stats = await stat(path).catch(() => undefined);
    if (!stats || stats.isFile()) kept.push(path);
  }
  return kept;
}
