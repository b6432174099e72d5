import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const ROOT = join(import.meta.dirname, '../../..');

/**
 * The public names of a source file, by its path in the repository. The reference looks into the apps as a reader
 * does, by file: nothing depends on an app.
 */
export async function load(file: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(pathToFileURL(join(ROOT, file)).href)) as Readonly<Record<string, unknown>>;
}

/** `libs/archive`, …, `apps/simulator`, in this order. */
export function packages(): string[] {
  return ['libs', 'apps'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${folder}/${name}`)
      .sort(),
  );
}
