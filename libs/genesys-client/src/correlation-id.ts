import { header, type Answer } from './exchange.ts';

/** The id by which Genesys' support finds a call (genesys-api.md 1.5). Only of a harmless shape: it goes into logs. */
export function correlationId(answer: Answer): string | undefined {
  const value = header(answer, 'inin-correlation-id');
  return value !== undefined && /^[\w.:-]{1,100}$/.test(value) ? value : undefined;
}
