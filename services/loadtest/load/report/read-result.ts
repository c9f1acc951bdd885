import { readFileSync } from 'node:fs';

import { StartFailure } from '@fenghuo/cluster';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { z } from 'zod';

import { measuredLatencies, RESULT_SCHEMA, type Result, resultSchema } from './result.ts';

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
  const faults = result.success
    ? measuredLatencies(result.data).flatMap(([name, { hdr }]) =>
        isHistogram(hdr) ? [] : [`latencies.${name}.hdr is no histogram`],
      )
    : result.error.issues.map(({ path: place, message }) => `${place.join('.')}: ${message}`);
  if (result.success && faults.length === 0) return result.data;
  throw new StartFailure(
    `${path} is a damaged result: ${faults.slice(0, FAULTS_SHOWN_MAX).join('; ')}. Give the file as it was written.`,
  );
}

function isHistogram(hdr: string): boolean {
  try {
    decodeFromCompressedBase64(hdr, 32);
    return true;
  } catch {
    return false;
  }
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
