import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildProgram } from './cli.ts';

test('the help of the program fits one screen', () => {
  let help = '';
  buildProgram()
    .configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 80 })
    .outputHelp();
  assert.ok(help.split('\n').length <= 25, help);
});
