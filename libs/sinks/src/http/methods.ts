/** What a sink may ask of its target: each of them puts something there. */
export const METHODS = ['POST', 'PUT', 'PATCH'] as const;
