import { z } from 'zod';

export const HEADER_NAME = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/, { error: 'is not a header name; use letters, digits and dashes' });

/** What a header can carry: no line break, nothing outside Latin-1. */
export const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
