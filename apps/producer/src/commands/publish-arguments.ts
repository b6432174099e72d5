import { expandSources } from '@genesys-kafka/archive';
import type { OpenSource, PublishArgument } from '../export/run-publish.ts';
import type { ArchiveFetcher } from '../genesys/archive-fetcher.ts';

/** The arguments of `publish`, in their order, as archives that can be opened. Raises ArchiveError for `s3:` (usage). */
export async function expandArguments(names: readonly string[], fetcher: ArchiveFetcher): Promise<PublishArgument[]> {
  const expanded = await expandSources(names, process.cwd());
  return expanded.map((source): PublishArgument => {
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
  });
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
