import { commandsPage } from './commands.ts';
import { errorsPage } from './errors.ts';
import { headersPage } from './headers.ts';
import { metricsPage } from './metrics.ts';
import { topicsPage } from './topics.ts';

/** The pages of docs/reference by their file; the settings' one is written by settings-table.ts. */
export const REFERENCE: Readonly<Record<string, () => string | Promise<string>>> = {
  'commands.md': commandsPage,
  'errors.md': errorsPage,
  'headers.md': headersPage,
  'metrics.md': metricsPage,
  'topics.md': topicsPage,
};
