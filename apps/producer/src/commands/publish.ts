import { createContext } from '../export/context.ts';
import { exitStatus } from '../export/report.ts';
import { runPublish } from '../export/run-publish.ts';
import { ArchiveFetcher } from '../genesys/archive-fetcher.ts';
import { tellReport } from './print-report.ts';
import { expandArguments, openEarly } from './publish-arguments.ts';
import { begin, type Common } from './session.ts';

/** `producer publish SOURCE…`: resolves with the exit status. */
export async function publishCommand(
  common: Common,
  names: readonly string[],
  options: { readonly again?: boolean },
  signal: AbortSignal,
): Promise<number> {
  await using session = await begin(common, signal);
  const { settings, log, observer } = session;
  await using fetcher = new ArchiveFetcher(settings, observer.onDownload);
  await using early = openEarly(await expandArguments(names, fetcher), signal);
  await using context = await createContext(settings, log, observer);
  const report = await runPublish(context, early.args, options.again ?? false, signal);
  await tellReport(common, report);
  return exitStatus(report);
}
