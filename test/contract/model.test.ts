import fc from 'fast-check';
import { afterAll, describe, inject, test } from 'vitest';
import { memoryHub, type RingFaults } from '../../services/signaling/backplane/memory/hub.ts';
import { Restorer } from '../../services/signaling/backplane/restorer.ts';
import { defaultLogBounds } from '../../services/signaling/domain/log-bounds.ts';
import { shareRedis } from '../support/redis-backplane.ts';
import { keepSealed } from '../support/seal.ts';
import { type Client, keeperOf, ModelNode, orderOf, World } from './model.ts';
import { TestNode } from './nodes.ts';

/** Steps by their names, each with what it picks. */
type Plan = [string, number[]][];
type Step = (world: World, picks: readonly number[]) => Promise<unknown> | unknown;

const at = <Item>(items: readonly Item[], pick: number | undefined): Item =>
  items[(pick ?? 0) % items.length] as Item;

/** Of the clients that are fit for a step, one; nothing where there is none. */
function someone(
  of: (world: World) => readonly Client[],
  act: (client: Client, world: World, picks: readonly number[]) => unknown,
): Step {
  return (world, [pick, ...picks]) => {
    const fit = of(world);
    return fit.length === 0 ? undefined : act(at(fit, pick), world, picks);
  };
}

const outside = (world: World) => world.clients.filter((client) => client.membership === undefined);
const inside = (world: World) => world.inRooms;
const connected = (world: World) => world.connected;
const away = (world: World) => world.inRooms.filter(({ membership }) => membership?.isConnected === false);

const addressee = (client: Client, pick: number | undefined) => {
  const peers = [...(client.room?.members.keys() ?? [])];
  // One more than there are: nobody.
  const index = (pick ?? 0) % (peers.length + 1);
  return peers[index] ?? ('nobody' as (typeof peers)[number]);
};

const STEPS: Readonly<Record<string, Step>> = {
  join: someone(outside, (client, world, [room, node]) =>
    world.join(client, (room ?? 0) % 2, at(world.nodes, node)),
  ),
  joinByKey: someone(inside, (client, world, [node]) => world.joinByKey(client, at(world.nodes, node))),
  signal: someone(connected, (client, world, [to]) =>
    world.relay(client, 'signal', addressee(client, to), false),
  ),
  offer: someone(connected, (client, world, [to, kind]) =>
    world.relay(client, 'signal', addressee(client, to), false, [at(['audio', 'video'] as const, kind)]),
  ),
  message: someone(connected, (client, world, [echo]) =>
    world.relay(client, 'message', undefined, (echo ?? 0) % 2 === 0),
  ),
  whisper: someone(connected, (client, world, [to, echo]) =>
    world.relay(client, 'message', addressee(client, to), (echo ?? 0) % 2 === 0),
  ),
  repeat: someone(connected, (client, world, [back]) => world.repeat(client, (back ?? 0) % 4)),
  hole: someone(connected, (client, world) => world.sendOverHole(client)),
  late: someone(inside, (client, world) => world.sendFromFormer(client)),
  rename: someone(connected, (client, world) => world.rename(client)),
  detach: someone(connected, (client, world) => world.detach(client)),
  resume: someone(inside, (client, world, [node, seq, attempt]) =>
    world.resume(client, at(world.nodes, node), {
      token: 'right',
      back: at([0, 0, 0, 1, 3, 'future'] as const, seq),
      attempt: at(['none', 'next', 'next', 'stale'] as const, attempt),
    }),
  ),
  steal: someone(inside, (client, world, [node, token]) =>
    world.resume(client, at(world.nodes, node), {
      token: at(['old', 'forged'] as const, token),
      back: 0,
      attempt: 'none',
    }),
  ),
  resumeAmid: someone(inside, (client, world, [node]) => world.resumeAmid(client, at(world.nodes, node))),
  leave: someone(connected, (client, world) => world.leave(client)),
  expire: someone(away, (client, world) => world.expire(client)),
  order: someone(connected, (client, world, picks) => {
    const peers = [...(client.room?.members.keys() ?? [])];
    return world.order(client, orderOf(peers, picks));
  }),
  intervene: (world, [node, ...picks]) => {
    const room = at(world.rooms, picks[2]);
    return world.intervene(room, orderOf([...room.members.keys()], picks), at(world.nodes, node));
  },
  comeBack: (world, [index, node]) =>
    world.shownOut.length === 0 ? undefined : world.comeBackAfterAll(index ?? 0, at(world.nodes, node)),
  die: (world, [node]) => world.die(at(world.nodes, node)),
  sweep: (world) => (world.dead.length === 0 ? undefined : world.sweep()),
  lose: (world) => (world.lose === undefined ? undefined : world.loseEverything()),
};

/** How often each is drawn. */
const WEIGHTS: Readonly<Record<string, number>> = {
  join: 8,
  signal: 5,
  message: 5,
  resume: 5,
  resumeAmid: 4,
  order: 10,
  comeBack: 1,
  leave: 1,
  expire: 1,
  lose: 1,
  die: 1,
};

const plan: fc.Arbitrary<Plan> = fc.array(
  fc.tuple(
    fc.oneof(
      ...Object.keys(STEPS).map((name) => ({ arbitrary: fc.constant(name), weight: WEIGHTS[name] ?? 2 })),
    ),
    fc.array(fc.nat(59), { minLength: 4, maxLength: 4 }),
  ),
  { minLength: 10, maxLength: 45, size: 'max' },
);

/**
 * Plans that once found something: an end and a loss right after what they might have taken along. And what chance
 * seldom brings together: who is banned comes again, and hosts go, one of whom is followed and one is not.
 */
const EXAMPLES: [Plan][] = [
  [
    [
      ['join', [0, 0, 0]],
      ['join', [0, 0, 1]],
      ['join', [0, 0, 2]],
      ['order', [0, 5, 1]],
      ['join', [0, 0, 1]],
      ['order', [0, 8]],
      ['join', [2, 0, 1]],
      ['leave', [0]],
    ],
  ],
  [
    [
      ['join', [0, 1, 0]],
      ['join', [0, 1, 1]],
      ['join', [0, 0, 2]],
      ['join', [0, 0, 0]],
      ['intervene', [0, 6, 1, 0]],
      ['leave', [0]],
      ['leave', [1]],
    ],
  ],
  [
    [
      ['join', [0, 0, 0]],
      ['resumeAmid', [0, 1]],
      ['leave', [0]],
      ['join', [0, 0, 0]],
      ['join', [0, 0, 0]],
    ],
  ],
  [
    [
      ['join', [0, 0, 0]],
      ['die', [0]],
      ['lose', []],
      ['join', [0, 0, 1]],
      ['signal', [0, 0]],
    ],
  ],
  [
    [
      ['join', [0, 0, 0]],
      ['join', [0, 0, 1]],
      ['die', [0]],
      ['lose', []],
      ['resume', [0, 2, 0, 0]],
    ],
  ],
];

async function run(world: World, steps: Plan): Promise<void> {
  try {
    for (const [name, picks] of steps) await STEPS[name]?.(world, picks);
    await world.settle();
  } finally {
    await world.end();
  }
}

describe('rooms, whatever happens to them, are as the model says', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  async function nodesOn(open: (n: number) => Promise<TestNode>): Promise<ModelNode[]> {
    const nodes = await Promise.all([0, 1, 2].map(open));
    cleanups.push(...nodes.map((node) => () => node.close()));
    return nodes.map((node) => new ModelNode(node));
  }

  async function onMemory(faults: RingFaults) {
    const hub = memoryHub();
    const bounds = defaultLogBounds(30_000);
    const nodes: ModelNode[] = await nodesOn(async (n) => {
      const backplane = hub.attach({ incarnation: `node-${n}`, bounds, faults });
      await keepSealed(backplane, `node-${n}`);
      return new TestNode(backplane, true);
    });
    for (const each of nodes) {
      const { backplane, feeds } = each.node;
      const options = {
        nodeId: each.incarnation,
        onAdopted: () => {},
        claims: { isAny: () => false, handIn: async () => true },
        onSealed: () => {},
        malformed: (what: string) => console.error('malformed', what),
        failed: (task: string, error: unknown) => console.error('failed', task, error),
      };
      const restorer = new Restorer(
        backplane.rebuilds,
        feeds,
        keeperOf(each, () => nodes),
        options,
      );
      cleanups.push(async () => restorer.close());
    }
    return { nodes, lose: () => hub.lose() };
  }

  const check = (open: () => World, numRuns: number) =>
    fc.assert(
      fc.asyncProperty(plan, (steps) => run(open(), steps)),
      { numRuns, examples: EXAMPLES, interruptAfterTimeLimit: 8_000 },
    );

  test('on memory', async () => {
    const { nodes, lose } = await onMemory(() => [0]);
    await check(() => new World(nodes, lose), 40);
  });

  test('H3: on memory with a doorbell that drops, doubles and delays', async () => {
    let rings = 0;
    const FAULTS = [[0], [2], [0, 3], [], [1, 1], [0], [5]] as const;
    const { nodes, lose } = await onMemory(() => FAULTS[rings++ % FAULTS.length] ?? [0]);
    await check(() => new World(nodes, lose), 20);
  });

  test('on Redis', async () => {
    const shared = await shareRedis(inject('redisUrl'));
    const nodes = await nodesOn(async () => new TestNode(await shared.open(), false));
    await check(() => new World(nodes, undefined), 40);
  });
});
