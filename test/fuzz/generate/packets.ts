import { REQUEST_NAMES, type RequestName } from '@fenghuo/protocol';

import { NO_TOKENS } from '../corpus/jwt.ts';
import { CONNECTS, ODD_PACKETS } from '../corpus/packets.ts';
import { chance, pick, pickWeighted, type Random, renumbered, whole } from './dice.ts';
import { mutated, mutatedText } from './mutations.ts';
import { SCHEMAS, validPayload } from './payloads.ts';

/** An event of Socket.IO with the id of its packet, or without one. */
function eventText(name: string, payload: unknown, packetId: number | undefined): string {
  return `42${packetId ?? ''}[${JSON.stringify(name)},${JSON.stringify(payload)}]`;
}

/** Frequent requests of real sessions have larger weights. */
const REQUEST_WEIGHTS: Readonly<Record<RequestName, number>> = {
  join: 3,
  resume: 2,
  leave: 1,
  signal: 5,
  message: 5,
  update: 2,
  moderate: 3,
};

function requestName(random: Random): RequestName {
  return pickWeighted(
    random,
    REQUEST_NAMES.map((value) => ({ value, weight: REQUEST_WEIGHTS[value] })),
  );
}

/** A request that the schemas allow, in a state that may not. */
export function validRequest(
  random: Random,
  packetId: number | undefined,
  name = requestName(random),
): string {
  return eventText(name, validPayload(name, random), packetId);
}

/** A request that is spoilt in one place or two. */
export function spoiltRequest(random: Random, packetId: number | undefined): string {
  const name = requestName(random);
  const once = mutated(validPayload(name, random), SCHEMAS[name], random);
  const payload = chance(random, 0.3) ? mutated(once, SCHEMAS[name], random) : once;
  const text = eventText(name, payload, packetId);
  return chance(random, 0.15) ? mutatedText(text, random) : text;
}

export function oddPacket(random: Random): string {
  return renumbered(random, pick(random, ODD_PACKETS));
}

export function connectPacket(random: Random): string {
  if (chance(random, 0.3)) return `40{"token":${pick(random, NO_TOKENS)}}`;
  return renumbered(random, pick(random, CONNECTS));
}

/** One that lets a client in, whatever AUTH is. */
export function goodConnect(random: Random): string {
  return `40{"token":"«jwt:good:${whole(random, 8)}»"}`;
}

export const DISCONNECT = '41';
export const PONG = '3';
