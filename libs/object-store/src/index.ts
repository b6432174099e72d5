export { connectObjectStore } from './connect.ts';
export { ObjectStoreError } from './errors.ts';
export { parseObjectAddress, showObject, type ObjectAddress } from './object-address.ts';
export type { ObjectStore } from './object-store.ts';
export { type ListedObject, selectObjects } from './select-objects.ts';
