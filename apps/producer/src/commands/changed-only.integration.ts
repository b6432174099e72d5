import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { uniquePrefix } from '@genesys-kafka/testing';
import { topicSpecs } from '@genesys-kafka/topics';
import { startProducer, startSimulator, writeArchive, type Ended, type Simulator } from '../../fixtures/processes.ts';
import { useServers } from '../../fixtures/servers.ts';
import { readPublished, readTopic, untilWritten, writtenTo, type PublishedRecord } from '../../fixtures/topics.ts';

const RECORDS = 2000;
const servers = useServers();

interface Conversation {
  readonly conversationId: string;
  readonly note?: string;
}

/** What the organisation holds at first, and later: some changed, some gone, some that were not there. */
const organisation = { first: [] as Conversation[], later: [] as Conversation[] };
const isChanged = (index: number) => index % 7 === 0;
const isGone = (index: number) => index % 100 === 1;
const isLate = (index: number) => index % 50 === 2;
const counted = (is: (index: number) => boolean) => Array.from({ length: RECORDS }, (_, at) => at).filter(is).length;

let prepared: Promise<Record<keyof typeof organisation, Simulator>> | undefined;

after(async () => {
  for (const simulator of Object.values((await prepared) ?? {})) await simulator[Symbol.asyncDispose]();
});

/** Writes the files that the commands are given, and starts a stand-in for the organisation as it is at each time. */
async function prepare(): Promise<Record<keyof typeof organisation, Simulator>> {
  const file = join(servers.dir, 'all.json');
  await writeArchive(file, ['--records', String(RECORDS)]);
  const all = JSON.parse(await readFile(file, 'utf8')) as Conversation[];
  organisation.first = all.filter((_, index) => !isLate(index));
  organisation.later = all
    .map((one, index) => (isChanged(index) ? { ...one, note: 'evaluated' } : one))
    .filter((_, index) => !isGone(index));
  for (const [name, population] of Object.entries(organisation)) {
    const text = JSON.stringify(population);
    await writeFile(join(servers.dir, `${name}.json`), text);
    // Minus zero is not what it was.
    population.splice(0, population.length, ...(JSON.parse(text) as Conversation[]));
  }
  await writeFile(join(servers.dir, 'query.json'), JSON.stringify({ size: RECORDS + 1 }));
  // Small transactions, so that a kill finds some committed and some not.
  const config = 'genesys: { pageSize: 100 }\nkafka: { transaction: { maxAge: 100ms, maxBytes: 1MiB } }\n';
  await writeFile(join(servers.dir, 'config.yaml'), config);
  const started = async (name: keyof typeof organisation) => {
    const file = join(servers.dir, `${name}.json`);
    return startSimulator(['--population', file, '--job-ms', '0', '--short-pages', '0', '--rate', '1000000']);
  };
  return { first: await started('first'), later: await started('later') };
}

interface Report {
  readonly exportId: string;
  readonly records: { read: number; published: number; invalid: number; unchanged: number; stale?: number };
}

/** One export's topics; each run reads what the organisation holds at the time. */
class Repeated {
  readonly prefix = uniquePrefix();
  kills = 0;
  readonly #contract: string;

  constructor(contract: string) {
    this.#contract = contract;
  }

  /** Windows of a third of the day: a conversation that reaches into the next one is read twice. `disturb`: see below. */
  async run(population: 'first' | 'later', options: readonly string[], disturb = this.#undisturbed): Promise<Ended> {
    const { [population]: simulator } = await (prepared ??= prepare());
    const interval = ['--from', '2025-10-01', '--to', '2025-10-02', '--window', '8h'];
    const query = this.#contract === 'bulk-archive' ? ['--query', join(servers.dir, 'query.json')] : [];
    const config = ['--config', join(servers.dir, 'config.yaml'), '--json'];
    const command = ['export', ...interval, '--contract', this.#contract, ...query, ...config];
    const env = { ...simulator.env, ...servers.env(this.prefix) };
    let asked = options;
    const start = () => {
      const running = startProducer([...command, ...asked], env);
      // Once: whoever is started after it goes on with the generation that it began.
      asked = options.filter((option) => option !== '--again');
      return running;
    };
    return disturb(start);
  }

  async done(...args: Parameters<Repeated['run']>): Promise<Report> {
    const ended = await this.run(...args);
    assert.equal(ended.status, 0, ended.stderr);
    return JSON.parse(ended.stdout) as Report;
  }

  readonly #undisturbed = async (start: () => ReturnType<typeof startProducer>) => start().ended;

  /** Killed in its midst, then taken over by the same command: whoever ends it has it done. */
  readonly killedAndTakenOver = async (start: () => ReturnType<typeof startProducer>): Promise<Ended> => {
    const before = await this.written();
    const { child, ended } = start();
    await untilWritten(servers.client, this.prefix, ended, before + 40);
    child.kill('SIGKILL');
    const killed = await ended;
    // A quick machine may be done before that.
    if (killed.status !== null) return killed;
    this.kills += 1;
    const written = await this.written();
    const earlier = start();
    // Where all was written by the time of the kill there is nothing to take over, and it ends by itself.
    await untilWritten(servers.client, this.prefix, earlier.ended, written);
    // The brokers may have written what the killed one had sent last: then either of the two takes over the other.
    const both = await Promise.all([start().ended, earlier.ended]);
    const done = both.find(({ status }) => status === 0);
    for (const { status, stderr } of both) if (status !== 0) assert.match(stderr, /taken-over/);
    return done ?? assert.fail('each of them was taken over');
  };

  async written(): Promise<number> {
    return writtenTo(servers.client, this.prefix);
  }

  async published(): Promise<readonly PublishedRecord[]> {
    return (await readPublished(servers.client, this.prefix)).records;
  }

  /** The last values by key, without what is ended. */
  async digests(): Promise<Map<string, Buffer>> {
    const last = new Map<string, Buffer>();
    for (const { key, value } of await readTopic(servers.client, topicSpecs({ prefix: this.prefix }).digests.name)) {
      if (String(key).startsWith('claim/')) continue;
      if (value === null) last.delete(String(key));
      else last.set(String(key), value);
    }
    return last;
  }
}

/** The last record of each conversation, those of one key being in their order. */
function lastOf(records: readonly PublishedRecord[]): Map<string, PublishedRecord> {
  return new Map(records.map((record) => [record.key, record]));
}

/** Those of sources that came later. */
function laterThan(all: readonly PublishedRecord[], before: readonly PublishedRecord[]): PublishedRecord[] {
  const known = new Set(before.map(({ source }) => source));
  return all.filter(({ source }) => !known.has(source));
}

function assertHolds(records: readonly PublishedRecord[], expected: readonly Conversation[]): void {
  const last = lastOf(records);
  for (const conversation of expected) {
    assert.deepEqual(JSON.parse(String(last.get(conversation.conversationId)?.body)), conversation);
  }
}

/** Version, tag of 16 bytes, then half of the SHA-256: of the last record on the topic, for all of them. */
function assertAsPublished(digests: ReadonlyMap<string, Buffer>, scope: string, records: readonly PublishedRecord[]) {
  const last = lastOf(records);
  for (const [key, { body }] of last) {
    const digest = createHash('sha256').update(body).digest().subarray(0, 16);
    assert(digests.get(`${scope}/2025-10-01/${key}`)?.subarray(17, 33).equals(digest), `the digest of ${key}`);
  }
  assert.equal(digests.size, last.size);
}

/** Resolves with how often it was killed: where it was quick that may be never, and proves less. */
async function repeatThroughKills(contract: string): Promise<number> {
  const one = new Repeated(contract);
  const first = await one.done('first', ['--changed-only'], one.killedAndTakenOver);
  const begun = await one.published();
  assert.equal(first.records.published, organisation.first.length, 'what reaches into two windows is published once');
  assert.equal(first.records.read, first.records.published + first.records.unchanged);
  // An archive holds what begins in its window, a job what touches it.
  assert.equal(first.records.unchanged > 0, contract === 'details-jobs');
  assert.equal(begun.length, organisation.first.length);
  assert(begun.every(({ change }) => change === 'new'));
  assertHolds(begun, organisation.first);
  assertAsPublished(await one.digests(), first.exportId, begun);

  const later = await one.done('later', ['--again', '--changed-only'], one.killedAndTakenOver);
  const all = await one.published();
  const repeated = laterThan(all, begun);
  const changed = repeated.filter(({ change }) => change === 'changed');
  assert.equal(later.exportId, first.exportId);
  assert.equal(
    changed.length,
    counted((index) => isChanged(index) && !isGone(index) && !isLate(index)),
  );
  assert.equal(
    repeated.length - changed.length,
    counted((index) => isLate(index) && !isGone(index)),
  );
  assert(repeated.every(({ change }) => change === 'changed' || change === 'new'));
  assert.equal(later.records.published, repeated.length);
  assertHolds(all, organisation.later);
  assertAsPublished(await one.digests(), first.exportId, all);

  const again = await one.done('later', ['--again', '--changed-only']);
  assert.equal(again.records.published, 0);
  assert.deepEqual(Object.keys(again.records), ['read', 'published', 'invalid', 'unchanged']);
  assert.equal((await one.published()).length, all.length);
  return one.kills;
}

for (const contract of ['details-jobs', 'bulk-archive']) {
  test(`${contract}: repeated through kills and a takeover, an export publishes what has changed, and that once`, async () => {
    for (let tries = 0; tries < 10; tries += 1) if ((await repeatThroughKills(contract)) > 0) return;
    assert.fail('it ended before it was killed each time: give it more records');
  });
}

test('what a generation without the option publishes, the next one with it does not take for unchanged', async () => {
  const one = new Repeated('bulk-archive');
  const { exportId } = await one.done('first', ['--changed-only']);
  await one.done('later', ['--again']);
  const mixed = await one.run('later', ['--changed-only']);
  assert.equal(mixed.status, 2);
  assert.match(mixed.stderr, /other-mode/);
  // As it was at first: the digests from then would call it unchanged.
  const before = await one.published();
  const { records } = await one.done('first', ['--again', '--changed-only']);
  assert.equal(records.published, organisation.first.length);
  const all = await one.published();
  assertHolds(all, organisation.first);
  const digests = await one.digests();
  assertAsPublished(digests, `${exportId}+2`, laterThan(all, before));
  assert(
    [...digests.keys()].every((key) => key.startsWith(`${exportId}+2/`)),
    'those out of reach have ended',
  );
});
