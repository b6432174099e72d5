import type { z } from 'zod';
import { ApiError } from './error-body.ts';

/** @throws ApiError 400 that names the first mistake and its path. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ApiError(
    400,
    'bad.request',
    `${['body', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'is not valid'}`,
  );
}
