import type { FastifyInstance } from 'fastify';
import { faultOf } from './faults/fault-hooks.ts';
import { OPERATIONS } from './faults/fault-rules.ts';
import type { Operation } from './faults/fault-rules.ts';
import type { RuleReport } from './faults/fault-script.ts';
import type { Limit, RefusalCounts } from './limits/refusals.ts';

export interface SimulatorStats {
  /** Answers by operation and status; one that a reset kept back counts as `0`. */
  readonly requests: Readonly<Record<Operation, Readonly<Record<string, number>>>>;
  readonly tokensIssued: number;
  readonly jobs: { readonly details: number; readonly archives: number; readonly openAtMost: number };
  /** Answers of 429 by the limit that they stand for; those that a fault rule made are not among them. */
  readonly limits: Readonly<Record<Limit, RefusalCounts>>;
  readonly faults: readonly RuleReport[];
}

/** Counts answers by operation and status. */
export class RequestCounts {
  readonly #counts = Object.fromEntries(OPERATIONS.map((name) => [name, {}])) as Record<
    Operation,
    Record<string, number>
  >;

  /** Counts this server's answers from now on. */
  watch(server: FastifyInstance): void {
    // When the answer is about to go out: whoever has it, finds it counted.
    server.addHook('onSend', async (request, reply, payload) => {
      const keptBack = faultOf(request, 'reset')?.afterBytes === 0;
      this.#count(request.routeOptions.config.operation, keptBack ? 0 : reply.statusCode);
      return payload;
    });
  }

  snapshot(): SimulatorStats['requests'] {
    return structuredClone(this.#counts);
  }

  #count(operation: Operation | undefined, status: number): void {
    if (!operation) return;
    const counts = this.#counts[operation];
    counts[status] = (counts[status] ?? 0) + 1;
  }
}
