import { describe, expect, test } from 'vitest';
import { localHome, registrarOf } from '../../../services/signaling/domain/homes.ts';

test.each([
  ['shanghai', ['beijing', 'shanghai'], 'shanghai'],
  ['tokyo', ['beijing', 'shanghai'], 'beijing'],
  ['local', ['main'], 'main'],
])('a node in %s with the homes %j is ready by %s', (region, homes, home) => {
  expect(localHome(region, homes)).toBe(home);
});

describe('H1: the registrar of a name', () => {
  const homes = ['beijing', 'shanghai', 'shenzhen'];

  test('is the same whatever the order of the homes, and for every node', () => {
    for (const name of ['blue', '烽火', 'a room', '']) {
      expect(registrarOf(name, homes.toReversed())).toBe(registrarOf(name, homes));
      expect(registrarOf(name, ['main'])).toBe('main');
    }
    // Written down: nodes of another version must come to the same.
    expect(
      ['blue', 'red', '烽火', 'room-1'].map((name) => registrarOf(name, ['beijing', 'shanghai'])),
    ).toEqual(['shanghai', 'beijing', 'shanghai', 'beijing']);
  });

  test('is each home for about as many names', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 3_000; n++) {
      const home = registrarOf(`room-${n}`, homes);
      counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    for (const home of homes) expect(Math.abs((counts.get(home) ?? 0) - 1_000)).toBeLessThan(150);
  });
});
