import { REQUEST_NAMES, REQUESTS } from '@fenghuo/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';

test.each(REQUEST_NAMES)('of the schema of a %s request code can be made', (name) => {
  expect(() => z.compile<z.ZodType>(REQUESTS[name], { strict: true })).not.toThrow();
});
