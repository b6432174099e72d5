import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../genesys/error-body.ts';
import { instantMs, orderedInterval } from '../genesys/interval.ts';
import { parseBody } from '../genesys/parse-body.ts';
import type { Availability } from './availability.ts';
import type { Organisation, TrueVersion } from './organisation.ts';

const QUERY = z.strictObject({
  from: z.string(),
  to: z.string(),
  at: z.string().optional(),
  matching: z.enum(['overlap', 'start-day', 'start']).default('overlap'),
  versions: z.enum(['last', 'all']).default('last'),
});

/** Lines are gathered to pieces of about this many. */
const LINES = 100;

/**
 * `GET /_simulator/truth?from&to&at&matching&versions`: what the conversations of an interval are, or were, as NDJSON
 * (`TrueVersion`). `at` is a data availability date, by default the present one.
 */
export function addTruthRoute(
  server: FastifyInstance,
  { organisation, availability }: { readonly organisation: Organisation; readonly availability: Availability },
): void {
  server.get('/_simulator/truth', (request, reply) => {
    const { from, to, at, matching, versions } = parseBody(QUERY, request.query);
    const availableMs = at === undefined ? availability.nowMs() : instantMs(at);
    if (availableMs === undefined) throw new ApiError(400, 'bad.request', 'at: expected an ISO-8601 instant');
    const interval = orderedInterval(from, to, `${from}/${to}`);
    const truth = organisation.truth({ ...interval, matching, availableMs, allVersions: versions === 'all' });
    if (!truth) throw new ApiError(404, 'not.found', 'These conversations do not change: start with --living.');
    return reply.type('application/x-ndjson').send(Readable.from(lines(truth), { objectMode: false }));
  });
}

function* lines(truth: Iterable<TrueVersion>): Generator<Buffer, void> {
  let text = '';
  let count = 0;
  for (const version of truth) {
    text += `${JSON.stringify(version)}\n`;
    count += 1;
    if (count % LINES !== 0) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}
