/** `npm run docs`: writes what the documents say of the settings. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsPage, settingsSchema } from './reference/settings.ts';

const docs = join(import.meta.dirname, '../../docs');
mkdirSync(join(docs, 'reference'), { recursive: true });
writeFileSync(join(docs, 'reference/settings.md'), settingsPage());
writeFileSync(join(docs, 'settings.schema.json'), settingsSchema());
