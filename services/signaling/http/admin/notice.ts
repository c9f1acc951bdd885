import { NOTICE_CHARS_MAX } from '@fenghuo/protocol';
import { z } from 'zod';

/** What people are to read. */
export const notice = z
  .string()
  .min(1, 'must not be empty')
  .refine((text) => [...text].length <= NOTICE_CHARS_MAX, `must be at most ${NOTICE_CHARS_MAX} characters`)
  .describe(`1 to ${NOTICE_CHARS_MAX} characters`);
