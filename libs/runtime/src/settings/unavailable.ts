import type { Settings } from './settings.ts';

/** What a command does: publish records, follow the watermark as well, or route and deliver. */
export type Use = 'publish' | 'run' | 'consume';

interface Feature {
  readonly path: string;
  readonly neededBy: readonly Use[];
  readonly isAskedFor: (settings: Settings) => boolean;
}

const routedSinks = (settings: Settings) => settings.routes.map(({ sink }) => settings.sinks[sink]);

/** Settings that are understood and not yet acted upon. A line goes when its feature is built. */
const features: readonly Feature[] = [
  { path: 'privacy', neededBy: ['publish', 'run'], isAskedFor: ({ privacy }) => privacy.length > 0 },
  { path: 'windows.rereads', neededBy: ['run'], isAskedFor: ({ windows }) => windows.rereads.length > 0 },
  {
    path: 'kafka.client: platformatic',
    neededBy: ['publish', 'run', 'consume'],
    isAskedFor: ({ kafka }) => kafka.client === 'platformatic',
  },
  {
    path: 'schema.format other than json',
    neededBy: ['publish', 'run', 'consume'],
    isAskedFor: ({ schema }) => schema.format !== 'json',
  },
  ...(['s3', 'postgres', 'kafka'] as const).map((type) => ({
    path: `a route to a sink of type ${type}`,
    neededBy: ['consume'] as const,
    isAskedFor: (settings: Settings) => routedSinks(settings).some((sink) => sink?.type === type),
  })),
  {
    path: 'deadLetters.objects',
    neededBy: ['publish', 'run', 'consume'],
    isAskedFor: ({ deadLetters }) => deadLetters.objects !== undefined,
  },
  {
    path: 'deadLetters.topic: false',
    neededBy: ['publish', 'run', 'consume'],
    isAskedFor: ({ deadLetters }) => !deadLetters.topic,
  },
];

/** All of it, as the README names it. */
export const notYet: readonly string[] = features.map(({ path }) => path);

/**
 * What the settings ask for and this version does not do yet, for a command that uses them: it refuses (usage error)
 * instead of going on as if nothing had been said. Empty where all is well.
 */
export function unavailable(settings: Settings, use: Use): string[] {
  return features
    .filter(({ neededBy, isAskedFor }) => neededBy.includes(use) && isAskedFor(settings))
    .map(({ path }) => path);
}
