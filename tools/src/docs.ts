/** `npm run docs`: writes docs/reference from the code that it describes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFERENCE } from './reference/pages.ts';
import { withSettings } from './settings-table.ts';

const folder = join(import.meta.dirname, '../../docs/reference');
for (const [file, write] of Object.entries(REFERENCE)) writeFileSync(join(folder, file), await write());

const settings = join(folder, 'settings.md');
writeFileSync(settings, withSettings(readFileSync(settings, 'utf8')));
