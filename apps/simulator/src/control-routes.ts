import type { FastifyInstance } from 'fastify';
import { FaultScriptError } from './faults/fault-rules.ts';
import type { FaultScript } from './faults/fault-script.ts';
import { ApiError } from './genesys/error-body.ts';
import { instantMs } from './genesys/interval.ts';
import type { SimulatorStats } from './stats.ts';

export interface ControlOptions {
  readonly faults: FaultScript;
  readonly stats: () => SimulatorStats;
  readonly revokeTokens: () => void;
  readonly setAvailability: (ms: number) => void;
}

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
  server.delete('/_simulator/tokens', (_request, reply) => {
    options.revokeTokens();
    return reply.code(204).send();
  });
  server.put<{ Body: { dataAvailabilityDate?: unknown } | undefined }>('/_simulator/availability', (request, reply) => {
    const ms = instantMs(request.body?.dataAvailabilityDate);
    if (ms === undefined) throw new ApiError(400, 'bad.request', 'dataAvailabilityDate: expected an ISO-8601 instant');
    options.setAvailability(ms);
    return reply.code(204).send();
  });
}
