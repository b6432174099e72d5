import { expandSources } from '@genesys-kafka/archive';
import { endsSourceOnly } from '@genesys-kafka/resilience';
import type { OpenSource, PublishArgument } from '../export/run-publish.ts';
import type { ArchiveFetcher } from '../genesys/archive-fetcher.ts';
import type { ObjectSources } from '../genesys/object-sources.ts';

/**
 * The arguments of `publish`, in their order, as archives that can be opened; an `s3:` prefix becomes an argument for
 * each of its objects. Raises ArchiveError and ObjectStoreError of the scopes `usage` and `run`.
 */
export async function expandArguments(
  names: readonly string[],
  { fetcher, objects }: { readonly fetcher: ArchiveFetcher; readonly objects: ObjectSources },
  signal: AbortSignal,
): Promise<PublishArgument[]> {
  const expanded: PublishArgument[] = [];
  for (const source of await expandSources(names, process.cwd())) {
    if (source.kind === 'objects') expanded.push(...(await objectArguments(source.argument, objects, signal)));
    else expanded.push(toArgument(source, fetcher));
  }
  return expanded;
}

type Expanded = Awaited<ReturnType<typeof expandSources>>[number];

function toArgument(source: Exclude<Expanded, { kind: 'objects' }>, fetcher: ArchiveFetcher): PublishArgument {
  const { argument } = source;
  if (source.kind === 'none') return { name: argument, sources: [], error: source.error };
  if (source.kind === 'link') return { name: argument, sources: [(signal) => fetcher.download(source.link, signal)] };
  const sources = source.paths.map(
    (path): OpenSource =>
      (signal) =>
        fetcher.open(path, signal),
  );
  if (source.kind === 'files') return { name: argument, sources };
  return { name: argument, sources, mayHoldEmpty: true, passedOver: source.passedOver };
}

async function objectArguments(
  argument: string,
  objects: ObjectSources,
  signal: AbortSignal,
): Promise<PublishArgument[]> {
  try {
    const { objects: found, passedOver } = await objects.find(argument, signal);
    return found.map(({ name, open }, index): PublishArgument => {
      const sources: OpenSource[] = [open];
      return index === 0 ? { name, sources, passedOver } : { name, sources };
    });
  } catch (error) {
    if (!endsSourceOnly(error)) throw error;
    return [{ name: argument, sources: [], error }];
  }
}

/** Arguments whose first archive is being opened already. Disposing lets it go where nobody took it. */
interface EarlyArguments extends AsyncDisposable {
  readonly args: readonly PublishArgument[];
}

/** Verifying an archive and connecting to the cluster need different things: the first archive is opened meanwhile. */
export function openEarly(args: readonly PublishArgument[], signal: AbortSignal): EarlyArguments {
  const [first, ...rest] = args;
  const [open, ...others] = first?.sources ?? [];
  if (!first || !open) return { args, [Symbol.asyncDispose]: async () => undefined };
  const opened = open(signal);
  // Its failure is told when its turn comes.
  opened.catch(() => undefined);
  return {
    args: [{ ...first, sources: [() => opened, ...others] }, ...rest],
    async [Symbol.asyncDispose]() {
      const archive = await opened.catch(() => undefined);
      await archive?.[Symbol.asyncDispose]();
    },
  };
}
