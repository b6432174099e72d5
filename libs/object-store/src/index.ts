// `connectObjectStore` is `@genesys-kafka/object-store/connect`: it comes with the AWS SDK, which is slow to load.
export type { ObjectStore } from './connect.ts';
export { ObjectStoreError } from './errors.ts';
export { parseObjectAddress, showObject, type ObjectAddress } from './object-address.ts';
export { selectObjects } from './select-objects.ts';
