/** `npm run docs`: writes docs/reference, the schema of the settings for editors and docs/scale.md, from the code. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFERENCE } from './reference/pages.ts';
import { settingsSchema } from './reference/settings.ts';
import { scalePage } from './scale/page.ts';

const docs = join(import.meta.dirname, '../../docs');
for (const [file, write] of Object.entries(REFERENCE)) writeFileSync(join(docs, 'reference', file), await write());
writeFileSync(join(docs, 'settings.schema.json'), settingsSchema());
writeFileSync(join(docs, 'scale.md'), await scalePage());
