import { planRoutes } from '@genesys-kafka/routing';
import { printPieces, safeJson, visibleText, type Session } from '@genesys-kafka/runtime';
import type { Settings } from '../settings.ts';
import { narrowed } from './difference.ts';
import { runRouteSuite, type RouteTestResult } from './route-suite.ts';
import { testRules, type RuleTestResult } from './test-rules.ts';

/** Of the contract: finished, and something is not as it should be. */
const FAILED = 3;

/** `consumer test FILE`, of records or, where that is YAML, of tests: resolves with the exit status. */
export async function testCommand(session: Session<Settings>, file: string): Promise<number> {
  const { settings, json, signal } = session;
  const plans = planRoutes(settings);
  if (!/\.ya?ml$/i.test(file)) {
    await printRuleTest(testRules(file, plans, signal), json);
    return 0;
  }
  const results = runRouteSuite(file, plans);
  const failed = results.filter(({ passed }) => !passed).length;
  await session.tell({ tests: results.length, failed, results }, suiteLines);
  return failed === 0 ? 0 : FAILED;
}

function suiteLines({
  tests,
  failed,
  results,
}: {
  readonly tests: number;
  readonly failed: number;
  readonly results: readonly RouteTestResult[];
}): string[] {
  const lines = results.flatMap(({ name, passed, differences }) => [
    `${passed ? 'ok    ' : 'FAILED'} ${name}`,
    ...differences.flatMap(({ what, lines: changes }) => [
      `       ${what}`,
      ...narrowed(changes).map((line) => `         ${line}`),
    ]),
  ]);
  return [
    ...lines,
    failed === 0 ? `${tests} tests passed` : `${failed} of ${tests} tests failed (- expected, + found)`,
  ];
}

/**
 * Prints results as they come, so that memory does not depend on how many there are: a line each, or all of them as
 * one JSON document. When they end with an error, the document stays unfinished, so that nobody takes it for whole.
 * A reader that goes away (`| head`) ends them.
 */
export async function printRuleTest(results: AsyncIterable<RuleTestResult>, asJson: boolean): Promise<void> {
  await printPieces(asJson ? jsonDocument(results) : lines(results));
}

async function* lines(results: AsyncIterable<RuleTestResult>): AsyncGenerator<string, void> {
  for await (const { ordinal, conversationId, routes, errors } of results) {
    const failing = Object.entries(errors).map(([route, error]) => `; rule of ${route} fails: ${error}`);
    // What a record says must not reach a terminal as it is.
    yield `${visibleText(`${ordinal} ${conversationId ?? '-'}: ${routes.join(', ')}${failing.join('')}`)}\n`;
  }
}

async function* jsonDocument(results: AsyncIterable<RuleTestResult>): AsyncGenerator<string, void> {
  let count = 0;
  for await (const result of results) {
    yield `${count === 0 ? '{"records":[' : ','}${safeJson(result)}`;
    count += 1;
  }
  yield count === 0 ? '{"records":[]}\n' : ']}\n';
}
