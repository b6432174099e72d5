import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { FaultScriptError } from './faults/fault-rules.ts';
import type { FaultScript } from './faults/fault-script.ts';
import { ApiError } from './genesys/error-body.ts';
import { instantMs } from './genesys/interval.ts';
import { parseBody } from './genesys/parse-body.ts';
import type { Tokens } from './genesys/tokens.ts';
import type { Availability } from './living/availability.ts';
import type { OrganisationClock } from './living/organisation-clock.ts';
import type { Organisation } from './living/organisation.ts';
import { addTruthRoute } from './living/truth-route.ts';
import type { SimulatorStats } from './stats.ts';

export interface ControlOptions {
  readonly faults: FaultScript;
  readonly stats: () => SimulatorStats;
  readonly tokens: Tokens;
  readonly clock: OrganisationClock;
  readonly availability: Availability;
  readonly organisation: Organisation;
}

const INSTANT = z.string().transform((text, context) => {
  const ms = instantMs(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: 'expected an ISO-8601 instant' });
  return z.NEVER;
});
const CLOCK = z.strictObject({ now: INSTANT.optional(), speed: z.number().min(0).max(10_000).optional() });
const AVAILABILITY = z.strictObject({ dataAvailabilityDate: INSTANT.nullable() });
const CREDENTIALS = z.strictObject({ revoked: z.boolean() });

/** The stand-in's own routes, under `/_simulator`: no part of the platform, open to whoever can reach the port. */
export function addControlRoutes(server: FastifyInstance, options: ControlOptions): void {
  const { faults } = options;
  server.get('/_simulator/stats', () => options.stats());
  server.get('/_simulator/faults', () => ({ rules: faults.report() }));
  server.post('/_simulator/faults', (request) => {
    try {
      faults.add(request.body as Parameters<FaultScript['add']>[0]);
    } catch (error) {
      if (error instanceof FaultScriptError) throw new ApiError(400, 'bad.request', error.message);
      throw error;
    }
    return { rules: faults.report() };
  });
  server.delete('/_simulator/faults', (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
  addAccessRoutes(server, options);
  addTimeRoutes(server, options);
  addTruthRoute(server, options);
}

function addAccessRoutes(server: FastifyInstance, { tokens }: ControlOptions): void {
  server.delete('/_simulator/tokens', (_request, reply) => {
    tokens.revokeAll();
    return reply.code(204).send();
  });
  server.put('/_simulator/credentials', (request, reply) => {
    tokens.revokeClient(parseBody(CREDENTIALS, request.body).revoked);
    return reply.code(204).send();
  });
}

function addTimeRoutes(server: FastifyInstance, { clock, availability }: ControlOptions): void {
  const read = () => ({
    now: new Date(clock.nowMs()).toISOString(),
    speed: clock.speed,
    dataAvailabilityDate: new Date(availability.nowMs()).toISOString(),
  });
  server.get('/_simulator/clock', read);
  server.put('/_simulator/clock', (request) => {
    const { now, speed } = parseBody(CLOCK, request.body);
    try {
      clock.set({ nowMs: now, speed });
    } catch (error) {
      if (error instanceof RangeError) throw new ApiError(400, 'bad.request', `now: ${error.message}`);
      throw error;
    }
    return read();
  });
  server.put('/_simulator/availability', (request, reply) => {
    availability.fix(parseBody(AVAILABILITY, request.body).dataAvailabilityDate ?? undefined);
    return reply.code(204).send();
  });
}
