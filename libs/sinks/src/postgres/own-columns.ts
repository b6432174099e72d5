/** The columns that the sink fills, in the order of its statement. */
export const OWN_COLUMNS = ['id', 'record', 'version', 'source', 'updated_at'] as const;
