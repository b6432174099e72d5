import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { planRoutes } from '@genesys-kafka/routing';
import { loadSettings } from '@genesys-kafka/runtime/cli';
import { SETTINGS } from '../settings.ts';
import { runRouteSuite, type RouteTestResult } from './route-suite.ts';

const EXAMPLE = join(import.meta.dirname, '../../fixtures/routes');
const DOCS = join(import.meta.dirname, '../../../../docs/routes.md');
const directory = mkdtempSync(join(tmpdir(), 'route-suite-'));
after(() => rmSync(directory, { recursive: true }));

const plans = planRoutes(loadSettings(SETTINGS, { file: join(EXAMPLE, 'config.yaml'), env: {} }));

function run(yaml: string): RouteTestResult[] {
  const file = join(directory, 'routes.test.yaml');
  writeFileSync(file, yaml);
  return runRouteSuite(file, plans);
}
const voice = '{ conversationId: c, participants: [{ userId: u, sessions: [{ mediaType: voice }] }] }';
/** What differs in the one test of a suite. */
const differs = (more: string) =>
  run(`tests: [{ name: one, record: ${voice}, headers: { change: new }, ${more} }]`)[0]!.differences.map(
    ({ what, lines }) => [what, ...lines.filter((line) => !line.startsWith(' '))],
  );

test('the example of the docs is the one that is run here, and passes', () => {
  const docs = readFileSync(DOCS, 'utf8');
  const blocks = Array.from(docs.matchAll(/```(?:yaml|json)\n(.*?)```/gs), ([, block]) => block);
  for (const name of ['config.yaml', 'routes.test.yaml', 'chat.json'])
    assert.ok(blocks.includes(readFileSync(join(EXAMPLE, name), 'utf8')), `docs/routes.md has not ${name} as it is`);
  const results = runRouteSuite(join(EXAMPLE, 'routes.test.yaml'), plans);
  assert.deepEqual(
    results.flatMap(({ name, passed }) => (passed ? [] : [name])),
    [],
  );
  assert.equal(results.length, 4);
});

test('what is not as expected is told line by line: routes, priority, body, headers, key, errors', () => {
  assert.deepEqual(differs('routes: [chat, voice]'), [['routes', '- chat']]);
  assert.deepEqual(differs('routes: { voice: { priority: low, key: x } }'), [
    ['voice.priority', '+ high', '- low'],
    ['voice.key', '+ c', '- x'],
  ]);
  assert.deepEqual(differs('routes: { voice: { headers: { X-Change: old } } }'), [
    ['voice.headers', '+ x-change: new', '- x-change: old'],
  ]);
  assert.deepEqual(differs('routes: { voice: { body: { agents: [u], id: d } } }'), [
    ['voice.body', '+   "id": "c"', '-   "id": "d"'],
  ]);
  assert.deepEqual(differs('errors: { voice: oops }'), [['errors.voice', '- oops']]);
  const [failing] = run(`tests: [{ name: one, record: ${voice}, routes: [voice] }]`);
  assert.deepEqual(
    failing!.differences.map(({ what }) => what),
    ['routes', 'errors.voice'],
    'an error that nobody expected',
  );
});

test('a text is compared byte by byte, a value by what it means; numbers of a record given as text keep their digits', () => {
  assert.deepEqual(differs(`routes: { voice: { body: { id: c, agents: [u] } } }`), []);
  assert.deepEqual(differs(`routes: { voice: { body: '{"id":"c","agents":["u"]}' } }`), []);
  assert.equal(differs(`routes: { voice: { body: '{"id": "c","agents":["u"]}' } }`).length, 1);
  const text = '{"conversationId":"c","n":12345678901234567890,"participants":[{"sessions":[{"mediaType":"chat"}]}]}';
  const [one] = run(`tests: [{ name: one, record: '${text}', routes: { chat: { body: '${text}' } } }]`);
  assert.deepEqual(one!.differences, []);
});

test('what tests share is written once, by anchors and merge keys', () => {
  const results = run(`tests:
  - name: a call
    record: &call ${voice}
    headers: { change: new }
    routes: &expected { voice: { body: { id: c, agents: [u] } } }
  - name: another one
    record: { <<: *call, conversationId: d }
    headers: { change: new }
    routes: { voice: { body: { id: d, agents: [u] } } }
  - name: a chat
    record: { <<: *call, participants: [{ sessions: [{ mediaType: chat }] }] }
    routes: [chat]
`);
  assert.deepEqual(
    results.flatMap(({ differences }) => differences),
    [],
  );
});

test('a file that is no suite is told with the line, and so is a record that is none', () => {
  for (const [yaml, message] of [
    ['tests: [{ name: a, recrod: {} }]', /routes\.test\.yaml:1.*recrod/],
    ['tests: [{ name: a }]', /needs either a record or a file/],
    ['tests: {', /YAML/],
    ['{}', /tests/],
    ['base: &base {}\ntests: [{ name: a, record: {} }]', /tests\. \S+routes\.test\.yaml:1: base: is no key/],
    ['tests:\n  - name: a\n    record: {}\n    route: [chat]', /test\.yaml:4: tests\.0\.route: is no key/],
    ['tests: [{ name: a, record: "{" }]', /record of the test "a" is not usable: its 1 characters are not one JSON/],
    ['tests: [{ name: a, record: {} }, { name: a, record: {} }]', /tests\.1\.name: is the name of tests\.0 already/],
    [
      'tests: [{ name: a, record: {}, routes: { voice: { priority: High } } }]',
      /tests\.0\.routes\.voice\.priority: .*"high"/,
    ],
    ['tests: [{ name: a, record: {}, routes: { voice: { prio: high } } }]', /tests\.0\.routes\.voice\.prio: is no key/],
    ['tests: [{ name: a, record: {}, routes: chat }]', /tests\.0\.routes: is neither a list of names nor/],
    ['tests: [{ name: a, record: {}, headers: { change: { new: 1 } } }]', /headers\.change: is not a text/],
    ['tests: [{ name: a, file: none.json }]', /none\.json cannot be read \(ENOENT\)/],
    ['tests: [{ name: a, record: "[1]" }]', /no JSON object/],
  ] as const) {
    assert.throws(() => run(yaml), { code: 'test-file-unusable', message }, yaml);
  }
  const missing = { code: 'test-file-unusable', message: /^none\.yaml cannot be read \(ENOENT\)\. See docs/ };
  assert.throws(() => runRouteSuite('none.yaml', plans), missing);
});

test('the command ends with 3 where a test failed, and needs neither Kafka nor a registry', () => {
  const file = join(directory, 'failing.test.yaml');
  writeFileSync(file, `tests: [{ name: one, record: ${voice}, routes: [chat] }]`);
  const main = join(import.meta.dirname, '../main.ts');
  const args = ['--config', join(EXAMPLE, 'config.yaml'), '--json', 'test', file];
  const { status, stdout } = spawnSync(process.execPath, [main, ...args], { env: {}, encoding: 'utf8' });
  assert.equal(status, 3);
  assert.deepEqual((JSON.parse(stdout) as { tests: number; failed: number }).failed, 1);
});
