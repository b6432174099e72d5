import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { planRoutes } from '@genesys-kafka/routing';
import { safeJson, visibleText, type Session } from '@genesys-kafka/runtime';
import type { Settings } from '../settings.ts';
import { testRules, type RuleTestResult } from './test-rules.ts';

/** `consumer test FILE`: resolves with the exit status. */
export async function testCommand({ settings, json, signal }: Session<Settings>, file: string): Promise<number> {
  await printRuleTest(testRules(file, planRoutes(settings), signal), json);
  return 0;
}

/**
 * Prints results as they come, so that memory does not depend on how many there are: a line each, or all of them as
 * one JSON document. When they end with an error, the document stays unfinished, so that nobody takes it for whole.
 * A reader that goes away (`| head`) ends them.
 */
export async function printRuleTest(results: AsyncIterable<RuleTestResult>, asJson: boolean): Promise<void> {
  try {
    await pipeline(Readable.from(asJson ? jsonDocument(results) : lines(results)), process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
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
