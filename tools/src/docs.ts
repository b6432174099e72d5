/** `npm run docs`: writes what the README says of the settings. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withSettings } from './settings-table.ts';

const file = join(import.meta.dirname, '../../README.md');
writeFileSync(file, withSettings(readFileSync(file, 'utf8')));
