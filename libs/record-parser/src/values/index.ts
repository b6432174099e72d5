export { VALUES_ERRORS, ValuesError } from './errors.ts';
export { readValues, type ReadValuesOptions } from './read-values.ts';
export type { ReadValue } from './top-level.ts';
