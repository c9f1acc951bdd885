import { REQUEST_NAMES, REQUESTS, type RequestName } from '@fenghuo/protocol';
import { z } from 'zod';

import { CANDIDATES, DESCRIPTIONS } from '../corpus/sdp.ts';
import { chance, pick, type Random, whole } from './dice.ts';

/** The part of JSON Schema that zod writes for the requests. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** Of every request, from the protocol's own: what is added there is tried here. */
export const SCHEMAS = Object.fromEntries(
  REQUEST_NAMES.map((name) => [
    name,
    z.toJSONSchema(REQUESTS[name], { io: 'input', unrepresentable: 'any' }) as Schema,
  ]),
) as Record<RequestName, Schema>;

/** So few that connections meet in them. */
const ROOMS = 8;
/** Shared too, so that one joins with the key of another's session. */
const KEYS = 4;
const OPTIONAL_SHARE = 0.4;

/** Members whose values mean something that no schema says. */
const MEMBERS: Readonly<Record<string, (random: Random) => unknown>> = {
  id: () => '«#id»',
  seq: () => '«#seq»',
  epoch: () => '«#epoch»',
  attempt: (random) => 1 + whole(random, 3),
  room: (random) => `fuzz-${whole(random, ROOMS)}${chance(random, 0.1) ? '@main' : ''}`,
  to: (random) => `«peer:${whole(random, 64)}»`,
  peer: (random) => (chance(random, 0.2) ? '*' : `«peer:${whole(random, 64)}»`),
  resume_token: (random) => (chance(random, 0.5) ? '«resume:own»' : `«resume:${whole(random, 64)}»`),
  token: (random) =>
    `«jwt:${pick(random, ['good', 'good', 'short', 'odd', 'hostile'])}:${whole(random, 64)}»`,
  key: (random) => `key-of-a-join-${'0'.repeat(16)}-${whole(random, KEYS)}`,
  sdp: (random) => pick(random, DESCRIPTIONS),
  candidate: (random) => pick(random, CANDIDATES),
  topic: (random) => pick(random, ['chat', 'a.b-c_D', '0']),
  name: (random) => pick(random, ['', 'Ann', '烽火', 'n'.repeat(64), '\u202eAnn', '<script>']),
  reason: (random) => pick(random, ['', 'no', 'r'.repeat(500)]),
};

/** A payload of a request that the protocol allows, as far as its schema tells. */
export function validPayload(name: RequestName, random: Random): unknown {
  return validValue(SCHEMAS[name], '', random);
}

export function validValue(schema: Schema, member: string, random: Random): unknown {
  if (schema.const !== undefined) return schema.const;
  const known = MEMBERS[member];
  // `candidate` is a text within the member of the same name.
  if (known !== undefined && (schema.type === undefined ? member !== 'candidate' : schema.type !== 'object'))
    return known(random);
  if (schema.enum !== undefined) return pick(random, schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return validValue(pick(random, choices), member, random);
  const type = typeof schema.type === 'string' ? schema.type : pick(random, schema.type ?? ['any']);
  switch (type) {
    case 'object':
      return validObject(schema, random);
    case 'array':
      return Array.from({ length: 1 + whole(random, 3) }, () => validValue(schema.items ?? {}, '', random));
    case 'string':
      return 'text';
    case 'integer':
    case 'number':
      return (schema.minimum ?? 0) + whole(random, Math.min(10, (schema.maximum ?? 10) + 1));
    case 'boolean':
      return chance(random, 0.5);
    case 'null':
      return null;
    default:
      return anyJson(random);
  }
}

function validObject({ properties = {}, required = [] }: Schema, random: Random): unknown {
  const members = Object.entries(properties).filter(
    ([name, schema]) =>
      required.includes(name) || (Object.keys(schema).length > 0 && chance(random, OPTIONAL_SHARE)),
  );
  return Object.fromEntries(members.map(([name, schema]) => [name, validValue(schema, name, random)]));
}

const PLAIN: readonly unknown[] = [
  null,
  true,
  7,
  'text',
  [],
  {},
  { a: [1, { b: null }] },
  '«long:2000»',
  Object.fromEntries([['__proto__', { a: 1 }]]),
];

function anyJson(random: Random): unknown {
  return pick(random, PLAIN);
}
