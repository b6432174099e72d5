import { OperationalError } from '@genesys-kafka/resilience';

/** A setting of a route or sink that makes no sense. */
export class RoutingOptionError extends OperationalError {
  constructor(option: string, problem: string) {
    super('routing-option-invalid', `Setting ${option} ${problem}.`, { scope: 'usage', details: { option } });
  }
}
