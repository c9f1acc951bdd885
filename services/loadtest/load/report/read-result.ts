import { readFileSync } from 'node:fs';

import { StartFailure } from '@fenghuo/cluster';
import { z } from 'zod';

import { RESULT_SCHEMA, type Result, resultSchema } from './result.ts';

const FAULTS_SHOWN_MAX = 3;

/** Reads a `result.json`. Throws a StartFailure that names the file and what is wrong with it. */
export function readResult(path: string): Result {
  const json = parsed(path, contentOf(path));
  const version = z.object({ schema: z.string() }).safeParse(json).data?.schema;
  if (version === undefined || !version.startsWith('fenghuo-load/'))
    throw new StartFailure(
      `${path} is no result of the load tester; give the result.json of an earlier run.`,
    );
  if (version !== RESULT_SCHEMA) {
    throw new StartFailure(
      `${path} has the schema ${JSON.stringify(version)}, and this version reads ${RESULT_SCHEMA}; run both with the same version.`,
    );
  }
  const result = resultSchema.safeParse(json);
  if (result.success) return result.data;
  const faults = result.error.issues
    .slice(0, FAULTS_SHOWN_MAX)
    .map(({ path: place, message }) => `${place.join('.')}: ${message}`);
  throw new StartFailure(
    `${path} is a damaged result: ${faults.join('; ')}. Give the file as it was written.`,
  );
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new StartFailure(
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}; give the result.json of an earlier run.`,
    );
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StartFailure(`${path} is not JSON; give the result.json of an earlier run.`);
  }
}
