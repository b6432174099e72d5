import type { Session } from '@genesys-kafka/runtime';
import { createContext } from '../export/context.ts';
import { exitStatus } from '../export/report.ts';
import { runPublish } from '../export/run-publish.ts';
import { ArchiveFetcher } from '../genesys/archive-fetcher.ts';
import { ObjectSources } from '../genesys/object-sources.ts';
import type { Settings } from '../settings.ts';
import { observe } from './observer.ts';
import { expandArguments, openEarly } from './publish-arguments.ts';
import { reportLines } from './report-lines.ts';
import { acceptedChanges, type TopicOptions } from './topic-options.ts';

export interface PublishOptions extends TopicOptions {
  readonly again?: boolean;
}

/** `producer publish SOURCE…`: resolves with the exit status. */
export async function publishCommand(
  session: Session<Settings>,
  names: readonly string[],
  options: PublishOptions,
): Promise<number> {
  const { settings, log, signal } = session;
  await using observer = await observe(session);
  await using fetcher = new ArchiveFetcher(settings, log, observer.onDownload);
  await using objects = new ObjectSources(settings, fetcher);
  await using early = openEarly(await expandArguments(names, { fetcher, objects }, signal), signal);
  await using context = await createContext(settings, log, observer, { accepted: acceptedChanges(options), signal });
  const report = await runPublish(context, early.args, options.again ?? false, signal);
  await session.tell(report, reportLines);
  return exitStatus(report);
}
