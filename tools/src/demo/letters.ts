import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { missingStorage, startStorage } from '@genesys-kafka/testing';
import { StageFailedError } from './stage.ts';
import type { Finished } from './processes.ts';
import type { Target } from './target.ts';

/** A bucket for dead letters, as `deadLetters.objects` of a configuration. */
export interface LetterStore extends AsyncDisposable {
  readonly settings: Readonly<Record<string, string>>;
}

/** What became of the records that the target refused. */
export interface LetterStory {
  readonly store: 'objects' | 'topic';
  readonly routes: readonly RouteStory[];
}

export interface RouteStory {
  readonly name: string;
  /** By the target's own count. */
  readonly refused: number;
  readonly deadLetters: number;
  readonly replayed: number;
  /** By the target's own count: refused ones that it has taken since, and those that it was given more than once. */
  readonly delivered: number;
  readonly twice: number;
  /** Dead letters that nobody has replayed. */
  readonly open: number;
}

export interface LetterScene {
  readonly store: LetterStore['settings'] | undefined;
  readonly routes: readonly string[];
  readonly target: Target;
  /** Runs the consumer with the configuration of the scenario. */
  readonly consumer: (...args: string[]) => Promise<Finished>;
  readonly say: (text: string) => void;
}

interface Listed {
  readonly letters: readonly { readonly key: string; readonly route: string }[];
}

const CAUSE = 'http-422';
/** The most that are listed. */
const ALL = '100000';

/** A bucket on a real S3 server; without one, says why, and dead letters are on their topic alone. */
export async function startLetterStore(
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<LetterStore | undefined> {
  const missing = missingStorage();
  if (missing !== undefined) {
    say(`  dead letters stay on their topic: ${missing}`);
    return undefined;
  }
  const storage = await startStorage({ signal, onProgress: (line) => say(`  ${line}`) });
  const { endpoint, region, accessKeyId, secretAccessKey } = storage;
  const bucket = `demo-dead-letters-${randomBytes(3).toString('hex')}`;
  const s3 = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }), { abortSignal: signal });
  s3.destroy();
  return {
    settings: { bucket, endpoint, region, accessKeyId, secretAccessKey },
    [Symbol.asyncDispose]: async () => storage[Symbol.asyncDispose](),
  };
}

/** The dead letters of a choosy target are looked at, the target is mended, they are replayed and delivered. */
export async function mendAndReplay({ store, routes, target, consumer, say }: LetterScene): Promise<LetterStory> {
  const from = store ? 'objects' : 'topic';
  const chosen = ['--cause', CAUSE, '--store', from];
  const reportOf = async (...args: string[]) => {
    const finished = await consumer(...args);
    if (finished.status !== 0) throw new StageFailedError('the consumer', finished);
    return finished.stdout;
  };
  const run = async (...args: string[]) => {
    say(`$ consumer ${args.join(' ')}`);
    say((await reportOf(...args)).trimEnd());
  };
  const list = async (state: string) => {
    const listed = await reportOf('dead-letters', 'list', ...chosen, '--state', state, '--limit', ALL, '--json');
    return (JSON.parse(listed) as Listed).letters;
  };
  const refused = [...target.counts.refused];
  await run('dead-letters', 'stats', ...chosen);
  const found = await list('open');
  target.mend();
  say('The target is mended.');
  await run('dead-letters', 'replay', ...chosen, '--rate', '1000/s');
  await run('run', '--drain');
  const [first] = found;
  if (first) await run('explain', first.key);
  const [replayed, open] = [await list('replayed'), await list('open')];
  const of = (letters: Listed['letters'], name: string) => letters.filter(({ route }) => route === name).length;
  const stories = routes.map((name) => {
    const records = refused.filter((record) => record.startsWith(`/${name} `));
    const taken = records.map((record) => target.counts.accepted.get(record) ?? 0);
    return {
      name,
      refused: records.length,
      deadLetters: of(found, name),
      replayed: of(replayed, name),
      delivered: taken.filter((times) => times > 0).length,
      twice: taken.filter((times) => times > 1).length,
      open: of(open, name),
    };
  });
  return { store: from, routes: stories };
}
