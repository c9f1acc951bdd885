import { z } from 'zod';
import { JSON_DEPTH_MAX, METADATA_BYTES_MAX } from './limits.ts';

/** A value that JSON can hold; `data` and `metadata` are any such value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

/**
 * Whether a parsed value is JSON no deeper than `depthMax`. Binary attachments, which the transport turns
 * into buffers inside the value, are not JSON. Walks without recursion: the value comes from the network.
 */
export function isJson(value: unknown, depthMax: number = JSON_DEPTH_MAX): value is Json {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const below: unknown[] = [];
    for (const each of level) {
      if (each === null || typeof each === 'string' || typeof each === 'boolean') continue;
      if (typeof each === 'number' && Number.isFinite(each)) continue;
      if (typeof each !== 'object' || depth >= depthMax) return false;
      if (Array.isArray(each)) {
        for (const item of each) below.push(item);
      } else if (isPlainObject(each)) {
        for (const member of Object.values(each)) below.push(member);
      } else {
        return false;
      }
    }
    level = below;
  }
  return true;
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A peer's metadata: bounded, since everybody in its room is sent it. */
export const metadata = z.custom<Json>(
  (value) => value !== undefined && isJson(value) && bytesOf(value) <= METADATA_BYTES_MAX,
  `must be JSON without binary of at most ${METADATA_BYTES_MAX} bytes, nested at most ${JSON_DEPTH_MAX} deep`,
);

function bytesOf(value: Json): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

export const json = z.custom<Json>(
  (value) => value !== undefined && isJson(value),
  `must be JSON without binary, nested at most ${JSON_DEPTH_MAX} deep`,
);
