export { connectObjectStore, type ObjectStore } from './connect.ts';
export { ObjectStoreError } from './errors.ts';
export { parseObjectAddress, showObject, type ObjectAddress } from './object-address.ts';
export { selectObjects } from './select-objects.ts';
