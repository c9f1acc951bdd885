import { seededRandom } from '../../../services/loadtest/random.ts';
import { CHANNELS, GARBAGE, WRITES } from '../corpus/redis.ts';
import { CLUSTERS, type Script, type Step } from '../steps.ts';
import { chance, pick, pickWeighted, type Random, renumbered, seedOf, whole } from './dice.ts';
import { attachments, fragments, oddFrame } from './frames.ts';
import { badHead, GOOD_HEAD, lenientHead } from './heads.ts';
import {
  connectPacket,
  DISCONNECT,
  goodConnect,
  oddPacket,
  PONG,
  spoiltRequest,
  validRequest,
} from './packets.ts';

/** The ingredients that `--without` leaves out, each with its meaning. */
export const INGREDIENTS = {
  requests: 'requests that the schemas allow, in any order',
  spoilt: 'requests that are spoilt in one place or two',
  packets: 'packets of Engine.IO and Socket.IO that are no request',
  'second-connect': 'CONNECT again on the same connection',
  frames: 'single frames that RFC 6455 forbids, or hardly anybody sends',
  fragments: 'messages in fragments, whole or not',
  binary: 'binary events, their attachments missing or too many',
  floods: 'the same packet or frame hundreds of times in one write',
  heads: 'HTTP requests that are wrong, slow or for something else',
  deaf: 'clients that do not read for a while',
  redis: 'garbage on channels and in keys of Redis',
} as const;
export type Ingredient = keyof typeof INGREDIENTS;
export const INGREDIENT_NAMES = Object.keys(INGREDIENTS) as Ingredient[];

export interface ScriptOptions {
  readonly seed: number;
  readonly without: ReadonlySet<Ingredient>;
}

const STEPS_MAX = 40;
const STEPS_FEW = 6;
/** Addresses from 127.0.0.66 on, so that honest ones are others. */
const ADDRESSES = 64;

type Make = (random: Random, packetId: number) => readonly Step[];

interface Recipe {
  readonly ingredient: Ingredient;
  readonly weight: number;
  readonly make: Make;
}

const packet = (text: string): Step => ({ do: 'packet', text });

const RECIPES: readonly Recipe[] = [
  {
    ingredient: 'requests',
    weight: 40,
    make: (random, id) => [packet(validRequest(random, idOrNone(random, id)))],
  },
  { ingredient: 'requests', weight: 6, make: (random, id) => [packet(validRequest(random, id, 'join'))] },
  { ingredient: 'requests', weight: 6, make: (random, id) => sameTwice(packet(validRequest(random, id))) },
  {
    ingredient: 'spoilt',
    weight: 20,
    make: (random, id) => [packet(spoiltRequest(random, idOrNone(random, id)))],
  },
  { ingredient: 'packets', weight: 8, make: (random) => [packet(oddPacket(random))] },
  { ingredient: 'packets', weight: 2, make: () => [packet(DISCONNECT)] },
  { ingredient: 'packets', weight: 2, make: () => [packet(PONG)] },
  { ingredient: 'second-connect', weight: 3, make: (random) => [packet(connectPacket(random))] },
  { ingredient: 'second-connect', weight: 1, make: connectsTogether },
  { ingredient: 'floods', weight: 1, make: (random, id) => [flood(random, id)] },
  { ingredient: 'frames', weight: 4, make: (random) => [oddFrame(random)] },
  { ingredient: 'fragments', weight: 3, make: (random, id) => [fragments(validRequest(random, id), random)] },
  {
    ingredient: 'fragments',
    weight: 1,
    make: (random, id) => [fragments(spoiltRequest(random, id), random)],
  },
  {
    ingredient: 'binary',
    weight: 2,
    make: (random) => [packet(binaryPacket(random)), ...attachments(random)],
  },
  { ingredient: 'deaf', weight: 0.5, make: (random) => [{ do: 'deaf', ms: 50 + whole(random, 1_000) }] },
  { ingredient: 'redis', weight: 3, make: (random) => [garbage(random)] },
];

/** The whole life of one connection of a run: for the same seed and index, the same. */
export function scriptOf(index: number, { seed, without }: ScriptOptions): Script {
  const random = seededRandom(seedOf(seed, index));
  const isStrange = chance(random, 0.12) && !without.has('heads');
  const head = isStrange ? (chance(random, 0.5) ? lenientHead(random) : badHead(random)) : GOOD_HEAD;
  return {
    index,
    cluster: pick(random, CLUSTERS),
    node: chance(random, 0.5) ? 0 : 1,
    address: `127.0.0.${66 + whole(random, ADDRESSES)}`,
    head: renumbered(random, head),
    pieces: isStrange && chance(random, 0.3) ? 1 + whole(random, 20) : 1,
    isEager: chance(random, 0.05),
    steps: withoutSecondConnect(life(random, without), without),
  };
}

function life(random: Random, without: ReadonlySet<Ingredient>): Step[] {
  const recipes = RECIPES.filter(({ ingredient }) => !without.has(ingredient)).map((value) => ({
    value,
    weight: value.weight,
  }));
  let packetId = 0;
  const next = () => pickWeighted(random, recipes).make(random, packetId++);
  const steps: Step[] = chance(random, 0.08)
    ? [...connectsTogether(random)]
    : [packet(chance(random, 0.9) ? goodConnect(random) : connectPacket(random))];
  if (chance(random, 0.9)) steps.push({ do: 'listen' });
  if (chance(random, 0.8)) steps.push(packet(validRequest(random, packetId++, 'join')), { do: 'listen' });
  const count = whole(random, chance(random, 0.5) ? STEPS_FEW : STEPS_MAX);
  for (let n = 0; n < count; n++) {
    if (chance(random, 0.2)) {
      const together = Array.from({ length: 2 + whole(random, 8) }, next).flat();
      steps.push({ do: 'burst', steps: together.filter(isSent) });
    } else steps.push(...next());
    if (chance(random, 0.4)) steps.push({ do: 'listen' });
    if (chance(random, 0.1)) steps.push({ do: 'pause', ms: whole(random, 300) });
  }
  return [...steps, ...ending(random)];
}

/** Says goodbye, hangs up, resets, or leaves it to the other side. */
function ending(random: Random): readonly Step[] {
  return pick<readonly Step[]>(random, [
    [],
    [packet(DISCONNECT)],
    [packet('1')],
    [{ do: 'end' }],
    [{ do: 'reset' }],
    [{ do: 'pause', ms: 3_500 }],
  ]);
}

/** Connections of `--malformed`: once they are in, malformed requests in bursts, and in the end what may close them. */
export function malformedScriptOf(index: number, { seed, without }: ScriptOptions): Script {
  const random = seededRandom(seedOf(seed, index));
  const enders = RECIPES.filter(
    ({ ingredient }) => MALFORMED.has(ingredient) && !without.has(ingredient),
  ).map((value) => ({ value, weight: value.weight }));
  let packetId = 0;
  const steps: Step[] = [packet(goodConnect(random)), { do: 'listen' }];
  if (chance(random, 0.5)) steps.push(packet(validRequest(random, packetId++, 'join')), { do: 'listen' });
  const bursts = whole(random, BURSTS_MAX);
  for (let n = 0; n < bursts; n++) {
    const spoilt = Array.from({ length: BURST }, () => packet(spoiltRequest(random, packetId++)));
    steps.push({ do: 'burst', steps: spoilt }, { do: 'listen' });
  }
  steps.push(
    ...pickWeighted(random, enders).make(random, packetId),
    pick(random, [{ do: 'end' }, { do: 'reset' }]),
  );
  return {
    index,
    cluster: pick(random, CLUSTERS),
    node: chance(random, 0.5) ? 0 : 1,
    address: `127.0.0.${66 + whole(random, ADDRESSES)}`,
    head: GOOD_HEAD,
    pieces: 1,
    isEager: false,
    steps: withoutSecondConnect(steps, without),
  };
}

const MALFORMED: ReadonlySet<Ingredient> = new Set<Ingredient>([
  'spoilt',
  'packets',
  'second-connect',
  'frames',
  'fragments',
  'binary',
]);
const BURST = 16;
const BURSTS_MAX = 12;
const FLOOD_FEW = 50;
const FLOOD_MAX = 3_000;

/** Whether a step is bytes, and may share a write with others. */
function isSent(step: Step): boolean {
  return ['packet', 'frame', 'fragments', 'raw', 'burst', 'repeat'].includes(step.do);
}

function idOrNone(random: Random, packetId: number): number | undefined {
  return chance(random, 0.1) ? undefined : packetId;
}

function sameTwice(step: Step): readonly Step[] {
  return [{ do: 'burst', steps: [step, step] }];
}

/** CONNECT and DISCONNECT in one write: what the first began is not done when the next comes. */
function connectsTogether(random: Random): readonly Step[] {
  const one = () =>
    packet(pick(random, [DISCONNECT, goodConnect(random), goodConnect(random), connectPacket(random)]));
  return [
    {
      do: 'burst',
      steps: [packet(goodConnect(random)), ...Array.from({ length: 1 + whole(random, 4) }, one)],
    },
  ];
}

/** The frame of a fragment, a ping, an empty text, a request: whatever costs its sender little. */
function flood(random: Random, packetId: number): Step {
  const step = pick<Step>(random, [
    packet(validRequest(random, packetId)),
    packet('42["nothing"]'),
    packet(PONG),
    packet(oddPacket(random)),
    oddFrame(random),
    { do: 'frame', frame: { opcode: 0, payload: 'x', fin: false } },
    { do: 'frame', frame: { opcode: 9, payload: 'x' } },
  ]);
  return { do: 'repeat', times: 2 + whole(random, chance(random, 0.2) ? FLOOD_MAX : FLOOD_FEW), step };
}

function binaryPacket(random: Random): string {
  const request = validRequest(random, whole(random, 10)).slice(2);
  return `4${pick(random, ['5', '5', '6'])}${whole(random, 4)}-${request}`;
}

function garbage(random: Random): Step {
  const fill = (word: string) => renumbered(random, word.replace('«garbage»', pick(random, GARBAGE)));
  const command = chance(random, 0.5)
    ? [pick(random, ['SPUBLISH', 'PUBLISH']), pick(random, CHANNELS), '«garbage»']
    : pick(random, WRITES);
  return { do: 'redis', command: command.map(fill) };
}

/** Takes out every packet that may be a CONNECT, but the first. */
function withoutSecondConnect(steps: readonly Step[], without: ReadonlySet<Ingredient>): readonly Step[] {
  if (!without.has('second-connect')) return steps;
  let isFirst = true;
  const keep = (step: Step): boolean => {
    if (step.do === 'repeat') return keep(step.step);
    if (step.do !== 'packet' || !step.text.startsWith('40')) return true;
    const isKept = isFirst;
    isFirst = false;
    return isKept;
  };
  return steps
    .map((step): Step => (step.do === 'burst' ? { ...step, steps: step.steps.filter(keep) } : step))
    .filter(keep);
}
