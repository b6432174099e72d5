export { ValuesError } from './errors.ts';
export { readValues } from './read-values.ts';
