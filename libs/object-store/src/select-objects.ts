/** An object as a listing shows it. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
}

export interface SelectedObjects {
  /** Keys to publish, in their order. */
  readonly keys: readonly string[];
  /** Markers and parts without content, which are told of. */
  readonly passedOver: readonly string[];
}

/**
 * Which of the objects whose keys begin with `prefix` are meant. An object of exactly that key is it alone. Otherwise
 * all of them, sorted by code unit, as files of a directory are: without what is hidden (a name with a dot, below the
 * prefix), without directories' own keys, and without the notes of programs that wrote the parts (`_SUCCESS`,
 * `_temporary/…`). An object without content is passed over where there are others.
 */
export function selectObjects(prefix: string, listed: readonly ListedObject[]): SelectedObjects {
  if (listed.some(({ key }) => key === prefix) && !prefix.endsWith('/')) return { keys: [prefix], passedOver: [] };
  const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const parts = listed
    .filter(({ key }) => !key.endsWith('/') && !namesOf(key, base).some((name) => name.startsWith('.')))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1));
  const isMarker = ({ key }: ListedObject) =>
    namesOf(key, base).some((name) => name.startsWith('_')) || key.endsWith('_$folder$');
  const meant = parts.filter((part) => !isMarker(part));
  const full = meant.filter(({ bytes }) => bytes > 0);
  const sources = full.length > 0 ? full : meant;
  const isSource = new Set(sources);
  const passedOver = parts.filter((part) => !isSource.has(part));
  return { keys: sources.map(({ key }) => key), passedOver: passedOver.map(({ key }) => key) };
}

const namesOf = (key: string, base: string) => key.slice(base.length).split('/');
