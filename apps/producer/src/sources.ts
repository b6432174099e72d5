import { expandSources } from '@genesys-kafka/archive';
import type { ArchiveFetcher } from './archive-fetcher.ts';
import type { PublishArgument } from './publish.ts';

/** The arguments of `publish`, in their order, as archives that can be opened. Raises ArchiveError for `s3:` (usage). */
export async function expandArguments(names: readonly string[], fetcher: ArchiveFetcher): Promise<PublishArgument[]> {
  const expanded = await expandSources(names, process.cwd());
  return expanded.map((source): PublishArgument => {
    const { argument } = source;
    if (source.kind === 'none') return { name: argument, sources: [], error: source.error };
    if (source.kind === 'link') return { name: argument, sources: [(signal) => fetcher.download(source.link, signal)] };
    return { name: argument, sources: source.paths.map((path) => (signal) => fetcher.open(path, signal)) };
  });
}
