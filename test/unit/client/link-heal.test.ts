import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { ErrorCode, OutgoingSignal } from '../../../services/client/index.ts';
import { fakeTrack } from './fake-connection.ts';
import { descriptions, type PairOptions, pair, type Side } from './link-pair.ts';

const SIDES: readonly [Side, Side][] = [
  ['polite', 'impolite'],
  ['impolite', 'polite'],
];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Two who are connected. */
async function connected(options: PairOptions = {}) {
  let hasPath = true;
  const scene = pair({ offerPatienceMs: 2_000, hasPath: () => hasPath, ...options });
  await scene.run(500);
  const sides = [scene.polite, scene.impolite];
  const phases = () => sides.map(({ link }) => link.state.phase);
  expect(phases()).toEqual(['connected', 'connected']);
  const cut = (state: 'disconnected' | 'failed') => {
    hasPath = false;
    for (const { connection } of sides) connection.setPath(state);
  };
  const mend = () => {
    hasPath = true;
    for (const { connection } of sides) connection.hasPath = true;
  };
  /** How long it takes until both are connected, in ms. */
  async function heals(withinMs: number): Promise<number> {
    for (let ms = 0; ms <= withinMs; ms += 20) {
      if (phases().every((phase) => phase === 'connected')) return ms;
      await scene.run(20);
    }
    throw new Error(`not connected after ${withinMs} ms: ${phases()}`);
  }
  return { ...scene, sides, phases, cut, mend, heals };
}

describe.each(SIDES)('a path of the %s side', (name) => {
  test('that Chromium calls failed in connectionState alone is looked for anew', async () => {
    const { [name]: side } = await connected();
    side.connection.setPath('failed');
    expect([side.connection.restarts, side.link.state.phase]).toEqual([1, 'recovering']);
  });

  test('that is disconnected is given four seconds to come back by itself', async () => {
    const { [name]: side, run } = await connected();
    side.connection.setPath('disconnected');
    await run(3_000);
    expect(side.connection.restarts).toBe(0);
    await run(2_000);
    expect(side.connection.restarts).toBe(1);
  });

  test('that comes back by itself is left alone', async () => {
    const { [name]: side, run } = await connected();
    side.connection.setPath('disconnected');
    await run(2_000);
    side.connection.setPath('connected');
    await run(60_000);
    expect(side.connection.restarts).toBe(0);
  });
});

test.each([3, 20, 25, 60, 100])('a path that comes back after %i s is found within two', async (seconds) => {
  const { cut, mend, run, heals, faults } = await connected();
  cut('failed');
  await run(seconds * 1_000);
  mend();
  expect(await heals(2_000)).toBeLessThanOrEqual(2_000);
  expect(faults).toEqual([]);
});

test('a path that stays away is looked for less and less often', async () => {
  const { cut, sides, run } = await connected();
  const restarts = () =>
    sides.flatMap(({ connections }) => connections).reduce((sum, each) => sum + each.restarts, 0);
  cut('failed');
  await run(60_000);
  const atFirst = restarts();
  await run(540_000);
  const before = restarts();
  await run(60_000);
  expect(atFirst).toBeGreaterThan(30);
  expect(atFirst).toBeLessThan(45);
  expect(restarts() - before).toBeLessThan(8);
  expect(restarts() - before).toBeGreaterThan(1);
});

test.each([3, 20, 60])(
  'after %i s without network, nodes included, both are connected within two',
  async (seconds) => {
    let isOnline = true;
    const { cut, mend, run, heals, sides, wires } = await connected({ isReachable: () => isOnline });
    isOnline = false;
    cut('disconnected');
    await run(seconds * 500, false);
    cut('failed');
    await run(seconds * 500, false);
    expect(wires.polite.length + wires.impolite.length).toBeLessThan(10);
    mend();
    isOnline = true;
    for (const { link } of sides) link.lookAgain();
    expect(await heals(2_000)).toBeLessThanOrEqual(2_000);
  },
);

test('news of a network are no reason to touch a path that is there', async () => {
  const { sides, run } = await connected();
  await run(5_000);
  for (const { link } of sides) link.lookAgain();
  await run(5_000);
  expect(sides.map(({ connection, connections }) => [connection.restarts, connections.length])).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

describe.each(SIDES)('a description of the %s side', (name, otherName) => {
  test.each<ErrorCode>(['too_large', 'invalid_request', 'forbidden', 'rate_limited'])(
    'that a node refuses as %s is no end of the negotiation',
    async (code) => {
      let [isOn, refusals] = [false, 1];
      const scene = await connected({
        refuses: (from, signal) =>
          from === name && 'description' in signal && isOn && refusals-- > 0 ? code : undefined,
      });
      const { [name]: own, [otherName]: other, run, faults } = scene;
      isOn = true;
      own.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
      await run(10_000);
      expect(faults).toMatchObject([{ step: 'signal', error: { code }, isHealing: true }]);
      expect([own.link.state.phase, other.heard]).toEqual(['connected', ['video', 'video']]);
    },
  );

  test('that has grown over what a node takes is small again on another connection, which both sides take', async () => {
    let tooLarge = 0;
    const scene = await connected({
      refuses: (from) => (from === name && tooLarge-- > 0 ? 'too_large' : undefined),
    });
    const { [name]: own, [otherName]: other, run } = scene;
    tooLarge = 1;
    own.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
    await run(5_000);
    expect([own.connections.length, other.connections.length]).toEqual([2, 2]);
    expect([own.heard, other.heard]).toEqual([['video'], ['video', 'video']]);
    expect([...own.connections, ...other.connections].map(({ isClosed }) => isClosed)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test.each([['is rejected', new DOMException('no', 'OperationError')] as const, ['hangs', 'hang'] as const])(
    'that %s by the other browser is made up for, offer or answer',
    async (_, spoilt) => {
      for (const spoiler of [name, otherName]) {
        const scene = await connected();
        const { [name]: own, [otherName]: other, run, faults } = scene;
        scene[spoiler].connection.spoilt.push(spoilt);
        own.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
        await run(25_000);
        const step = spoiler === name ? 'remote_answer' : 'remote_offer';
        expect(faults[0]).toMatchObject({ step, isHealing: true });
        expect([own.link.state.phase, other.heard]).toEqual(['connected', ['video', 'video']]);
        expect(own.connection.signalingState).toBe('stable');
      }
    },
  );

  test('is made up for however often that happens in a row', async () => {
    const { [name]: own, [otherName]: other, run } = await connected();
    const no = () => new DOMException('no', 'OperationError');
    for (const { connection } of [own, other]) connection.spoilt.push(no(), no(), no());
    own.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
    await run(60_000);
    expect([own.link.state.phase, other.heard]).toEqual(['connected', ['video', 'video']]);
  });
});

test('an offer that comes again after a later one was answered is dropped', async () => {
  const { polite, impolite, wires, faults, run } = await connected();
  impolite.link.addTrack(fakeTrack('video'), { id: 'theirs' } as MediaStream);
  await run(20, false);
  const again = wires.impolite.find((signal) => 'description' in signal);
  await run(200);
  polite.link.addTrack(fakeTrack('video'), { id: 'own' } as MediaStream);
  await run(200);
  polite.link.receive(again as OutgoingSignal);
  await run(200);
  expect([polite.connections.length, impolite.connections.length, faults]).toEqual([1, 1, []]);
  expect([polite.heard.length, impolite.heard.length]).toEqual([2, 2]);
});

test('the very first answer, rejected, is made up for', async () => {
  const { polite, impolite, run, faults } = pair({ offerPatienceMs: 2_000 });
  polite.connection.spoilt.push(new DOMException('no', 'OperationError'));
  await run(12_000);
  expect(faults).toMatchObject([{ step: 'remote_answer', isHealing: true }]);
  expect([polite.link.state.phase, impolite.link.state.phase]).toEqual(['connected', 'connected']);
});

test('a peer that never answers is a fault after eight seconds, and is asked again, less and less often', async () => {
  const { polite, wires, run, faults } = pair();
  await run(7_900, false);
  expect([polite.link.state.phase, faults]).toEqual(['calling', []]);
  await run(200, false);
  expect(polite.link.state.phase).toBe('unanswered');
  expect(faults).toMatchObject([{ step: 'answer_timeout', isHealing: true }]);
  await run(120_000, false);
  expect(descriptions(wires.polite).length).toBeGreaterThanOrEqual(4);
  expect(descriptions(wires.polite).length).toBeLessThan(7);
});

test('one that answers at last, or to an earlier offer, is connected', async () => {
  const { polite, impolite, run } = pair({ offerPatienceMs: 60_000 });
  await run(30_000, false);
  await run(10_000);
  expect([polite.link.state.phase, impolite.link.state.phase]).toEqual(['connected', 'connected']);
});

test('an offer of later that is not answered is taken back, and the call goes on', async () => {
  const { polite, impolite, wires, run, faults } = await connected();
  polite.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
  await run(40, false);
  wires.polite.length = 0;
  await run(8_500);
  expect(faults).toMatchObject([{ step: 'answer_timeout' }]);
  expect(polite.connection.log).toContain('rollback');
  await run(1_000);
  expect([impolite.heard, polite.connections.length]).toEqual([['video', 'video'], 1]);
});

test('pictures that come are not given up for an answer that does not', async () => {
  const { polite, phases, run } = await connected();
  polite.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
  await run(50_000, false);
  expect([phases(), polite.connections.length]).toEqual([['connected', 'connected'], 1]);
  await run(100_000, false);
  expect(polite.connections.length).toBe(2);
});

describe('an answer', () => {
  test('to an offer that was taken back is dropped when another one waits', async () => {
    const { polite, wires, run, faults } = await connected();
    polite.link.addTrack(fakeTrack('video'), { id: 'second' } as MediaStream);
    await run(40, false);
    const [first] = wires.polite.splice(0);
    if (first === undefined || !('description' in first)) throw new Error('no offer');
    await run(9_000, false);
    expect(polite.connection.signalingState).toBe('have-local-offer');
    const { number } = first.description as { number: number };
    polite.link.receive({ description: { type: 'answer', sdp: 'v=0 stray', number } });
    await run(20, false);
    expect(polite.connection.signalingState).toBe('have-local-offer');
    expect(faults.map(({ step }) => step)).toEqual(['answer_timeout']);
  });

  test('of a client that knows no numbers is taken', async () => {
    const { polite, run } = pair();
    await run(40, false);
    polite.link.receive({ description: { type: 'answer', sdp: 'v=0' } });
    await run(20, false);
    expect(polite.connection.signalingState).toBe('stable');
  });

  test('to an offer without a number has none', async () => {
    const { impolite, wires, run } = pair();
    wires.polite.length = 0;
    impolite.link.receive({ description: { type: 'offer', sdp: 'v=0 foreign' } });
    await run(20, false);
    expect(wires.impolite[0]).toEqual({ description: { type: 'answer', sdp: expect.any(String) } });
  });
});

describe('a connection that the browser does not make', () => {
  test('is a fault of its link, which makes one as soon as it can', async () => {
    let isMade = false;
    const { polite, impolite, run, faults } = pair({
      offerPatienceMs: 2_000,
      beforeConnection: (side) => {
        if (side === 'impolite' && !isMade) throw new DOMException('too many', 'UnknownError');
      },
    });
    expect(faults).toMatchObject([{ step: 'connection', isHealing: true }]);
    expect(impolite.link.state).toEqual({ connection: 'failed', ice: 'failed', phase: 'failed' });
    await run(30_000);
    isMade = true;
    await run(60_000);
    expect([polite.link.state.phase, impolite.link.state.phase]).toEqual(['connected', 'connected']);
  });

  test('because of the servers’ addresses is made when there are others', async () => {
    let isMade = false;
    const { polite, run, faults } = pair({
      beforeConnection: (side) => {
        if (side === 'polite' && !isMade) throw new DOMException('not a stun address', 'SyntaxError');
      },
    });
    expect(faults).toMatchObject([{ step: 'connection', isHealing: false }]);
    isMade = true;
    polite.link.setIceServers([{ urls: 'stun:stun.example' }]);
    await run(100);
    expect(polite.link.state.phase).toBe('connected');
  });
});
