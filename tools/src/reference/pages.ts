import { commandsPage } from './commands.ts';
import { errorsPage } from './errors.ts';
import { headersPage } from './headers.ts';
import { metricsPage } from './metrics.ts';
import { settingsPage } from './settings.ts';
import { topicsPage } from './topics.ts';

/** The pages of docs/reference by their file. */
export const REFERENCE: Readonly<Record<string, () => string | Promise<string>>> = {
  'commands.md': commandsPage,
  'errors.md': errorsPage,
  'headers.md': headersPage,
  'metrics.md': metricsPage,
  'settings.md': settingsPage,
  'topics.md': topicsPage,
};
