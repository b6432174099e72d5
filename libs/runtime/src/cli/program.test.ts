import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { TEST_SETTINGS } from '../../fixtures/test-settings.ts';
import type { SettingsOf } from '../settings/definition.ts';
import { loadSettings } from '../settings/load-settings.ts';
import { createMetrics } from '../metrics.ts';
import { createProgram, lookOnly, runProgram, type Handle } from './program.ts';
import { settingOptions } from './setting-options.ts';

type Settings = SettingsOf<typeof TEST_SETTINGS>;

function build(handle: Handle<Settings> = lookOnly) {
  const program = createProgram('shop', 'Sells things.');
  const open = program.command('open').description('open the shop');
  for (const option of settingOptions(TEST_SETTINGS, 'bus')) open.addOption(option);
  open.option('--quietly').action(
    handle(
      async ({ settings, tell }, { quietly = false }: { readonly quietly?: boolean }) => {
        await tell({ timeoutMs: settings.bus.requestTimeoutMs, quietly }, () => ['open \u001b[31m']);
        return 0;
      },
      { untilStopped: true },
    ),
  );
  const stock = program.command('stock').description('what is there');
  stock
    .command('count')
    .argument('<thing>')
    .action(
      handle(async ({ say, tell }, thing: string) => {
        say('counting');
        await tell({ thing }, (found) => [`found ${found.thing}`]);
        return 3;
      }),
    );
  return program;
}

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly untilStopped: boolean;
}

/** One run, with what it wrote. */
async function run(context: TestContext, ...args: readonly string[]): Promise<Ended> {
  // What the runner has to tell of the test before this one is not what is captured.
  await new Promise(setImmediate);
  const written = { stdout: '', stderr: '' };
  const capture = (stream: 'stdout' | 'stderr') => (text: string, done?: () => void) => {
    written[stream] += text;
    done?.();
    return true;
  };
  const out = context.mock.method(process.stdout, 'write', capture('stdout') as never);
  const err = context.mock.method(process.stderr, 'write', capture('stderr') as never);
  let untilStopped = false;
  const runsUntilStopped = () => {
    untilStopped = true;
  };
  try {
    const status = await runProgram(build, {
      argv: ['node', 'shop', ...args],
      context: { signal: new AbortController().signal, runsUntilStopped },
      definition: TEST_SETTINGS,
      readSettings: (given) => loadSettings(TEST_SETTINGS, { env: {}, ...given }),
    });
    return { status, ...written, untilStopped };
  } finally {
    out.mock.restore();
    err.mock.restore();
  }
}

test('a command runs in its session; its status is the status, and --json makes one document of what it tells', async (t) => {
  assert.deepEqual(await run(t, 'stock', 'count', 'apples'), {
    status: 3,
    stdout: 'counting\nfound apples\n',
    stderr: '',
    untilStopped: false,
  });
  for (const args of [
    ['--json', 'stock', 'count', 'apples'],
    ['stock', 'count', 'apples', '--json'],
  ]) {
    assert.deepEqual(await run(t, ...args), {
      status: 3,
      stdout: '{"thing":"apples"}\n',
      stderr: '',
      untilStopped: false,
    });
  }
});

test('the version is that of the package', async (t) => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  assert.deepEqual(await run(t, '--version'), { status: 0, stdout: `${version}\n`, stderr: '', untilStopped: false });
  using metrics = createMetrics();
  const text = await metrics.text();
  assert.ok(text.includes(`genesys_kafka_build_info{version="${version}",node="${process.versions.node}"} 1\n`), text);
});

test('what is told to people is safe for their terminal', async (t) => {
  assert.equal((await run(t, 'open')).stdout, 'open \\u001b[31m\n');
});

test('a command says itself that it runs until it is stopped; a section of settings are its flags, checked as in the file', async (t) => {
  const open = await run(t, '--json', 'open', '--request-timeout', '7s', '--quietly');
  assert.deepEqual(open, { status: 0, stdout: '{"timeoutMs":7000,"quietly":true}\n', stderr: '', untilStopped: true });
  await assert.rejects(run(t, 'open', '--request-timeout', 'soon'), {
    code: 'bad-config',
    message: /bus\.requestTimeout \(--request-timeout\): is not a duration/,
  });
});

test('any fault of usage is 2, with a guess where there is one; help is 0, and a command’s has the options of the program', async (t) => {
  for (const [args, says] of [
    [[], /Usage: shop/],
    [['opne'], /unknown command 'opne'\n  \(Did you mean open\?\)/],
    [['stock', 'cuont', 'x'], /unknown command 'cuont'\n  \(Did you mean count\?\)/],
    [['open', '--quitely'], /unknown option '--quitely'\n  \(Did you mean --quietly\?\)/],
    [['open', 'now'], /too many arguments/],
    [['stock', 'count'], /missing required argument 'thing'/],
    [['--config'], /argument missing/],
  ] as const) {
    const { status, stdout, stderr } = await run(t, ...args);
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    assert.match(stderr, says);
  }
  for (const args of [['--help'], ['open', '-h'], ['stock', 'count', '--help']]) {
    const { status, stdout, stderr } = await run(t, ...args);
    assert.deepEqual([status, stderr], [0, ''], args.join(' '));
    assert.match(stdout, /Usage: shop[^]*--config <file>/);
  }
});

test('--help settings lists every setting, and with a word those that have it in path, variable or description', async (t) => {
  const all = await run(t, '--help', 'settings');
  assert.equal(all.status, 0);
  assert.match(all.stdout, /Texts below targets take \$\{NAME\}/);
  for (const { path } of TEST_SETTINGS.fields) {
    assert.ok(all.stdout.includes(`  ${path.join('.').replaceAll('.[]', '[]')} (`), path.join('.'));
  }
  const some = await run(t, '--help', 'settings', 'SASL');
  assert.deepEqual(
    some.stdout.match(/^ {2}\S+/gm)?.map((path) => path.trim()),
    ['bus.sasl.mechanism', 'bus.sasl.username', 'bus.sasl.password'],
  );
  assert.match(some.stdout, /bus\.sasl\.username \(BUS_SASL_USERNAME, text, required\)/);
  assert.match(
    (await run(t, 'open', '-h', 'settings', 'encrypted')).stdout,
    /bus\.ssl \(BUS_SSL, true \| false, default false\)/,
  );
  await assert.rejects(run(t, '--help', 'settings', 'nonsense'), { code: 'bad-argument', scope: 'usage' });
});
