import { chance, pick, type Random, whole } from './dice.ts';
import type { Schema } from './payloads.ts';

/** Of other types than what is asked for, or at the edge of what it may be. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0.5,
  -1,
  1,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e300,
  5e-324,
  '',
  ' ',
  '0',
  '\u0000',
  '\ud800',
  '\udfff\ud800',
  'e\u0301',
  '\u202e\u2028\ufeff',
  '烽'.repeat(65),
  '__proto__',
  '{room}',
  '@',
  'a@main@main',
  '*',
  '«self»',
  '«long:129»',
  '«long:1025»',
  '«long:66000»',
  '«deep:63»',
  '«deep:64»',
  '«deep:65»',
  '«deep:2000»',
  [],
  [[]],
  ['«self»'],
  Array.from({ length: 3_000 }, () => 0),
  {},
  { length: 1 },
  Object.fromEntries(['toString', 'valueOf', 'then', 'toJSON'].map((name) => [name, 1])),
  { _placeholder: true, num: 0 },
  Object.fromEntries([['__proto__', { isAdmin: true }]]),
  Object.fromEntries([['constructor', { prototype: { isAdmin: true } }]]),
  Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`member${n}`, n])),
];

const ODD_MEMBERS = [
  '__proto__',
  'constructor',
  'prototype',
  'then',
  'toJSON',
  'hasOwnProperty',
  'ok',
  'error',
  '',
];

/** Spoils one value somewhere in a payload, with an eye to what its schema says of that place. */
export function mutated(value: unknown, schema: Schema, random: Random): unknown {
  if (!isObject(value) || chance(random, 0.1)) return oddValue(schema, random);
  const names = Object.keys(value);
  const name = pick(random, [...names, '']);
  if (name === '') return withMember(value, pick(random, ODD_MEMBERS), pick(random, ODD_VALUES));
  if (chance(random, 0.15)) return without(value, name);
  const inner = memberSchema(schema, name);
  return withMember(value, name, mutated(value[name], inner, random));
}

function oddValue(schema: Schema, random: Random): unknown {
  const edges = edgesOf(schema);
  return edges.length > 0 && chance(random, 0.5) ? pick(random, edges) : pick(random, ODD_VALUES);
}

/** At the limits that a schema names, and one past them. */
function edgesOf(schema: Schema): unknown[] {
  const { minimum, maximum, minLength, maxLength, anyOf, oneOf } = schema;
  return [
    ...(minimum === undefined ? [] : [minimum - 1, minimum]),
    ...(maximum === undefined ? [] : [maximum, maximum + 1]),
    ...(minLength === undefined ? [] : ['x'.repeat(Math.max(0, minLength - 1)), 'x'.repeat(minLength)]),
    ...(maxLength === undefined ? [] : [`«long:${maxLength}»`, `«long:${maxLength + 1}»`]),
    ...[...(anyOf ?? []), ...(oneOf ?? [])].flatMap(edgesOf),
  ];
}

function memberSchema(schema: Schema, name: string): Schema {
  const own = schema.properties?.[name];
  if (own !== undefined) return own;
  for (const choice of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    const found = memberSchema(choice, name);
    if (Object.keys(found).length > 0) return found;
  }
  return {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `__proto__` becomes a member like any other, as it does in JSON. */
function withMember(value: Record<string, unknown>, name: string, member: unknown): unknown {
  return Object.fromEntries([...Object.entries(value).filter(([each]) => each !== name), [name, member]]);
}

function without(value: Record<string, unknown>, name: string): unknown {
  return Object.fromEntries(Object.entries(value).filter(([each]) => each !== name));
}

/** Spoils the text of a packet: what no JSON writer makes. */
export function mutatedText(text: string, random: Random): string {
  const at = whole(random, text.length + 1);
  const spoil: readonly (() => string)[] = [
    () => text.slice(0, at),
    () =>
      text.slice(0, at) +
      pick(random, ['\u0000', '"', '{', '[', ',', '\\', '\ud800', '\u2028']) +
      text.slice(at),
    () => text.slice(0, at) + text.slice(at + 1),
    () => text + text,
    () => text.replace('{', '{"id":9,"__proto__":{"id":2},'),
    () =>
      text.replace(
        /"«#id»"/,
        pick(random, ['1e999', '-0', '01', '0x1', '1.0', 'NaN', '9007199254740993', '--1']),
      ),
    () => text.replace(/,/g, ' ,\n\t\r'),
    () => text.replace('"', "'"),
  ];
  return pick(random, spoil)();
}
