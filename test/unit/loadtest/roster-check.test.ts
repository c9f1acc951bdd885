import { expect, test } from 'vitest';

import { checkRosters } from '../../../services/loadtest/roster-check.ts';
import { peerNamed } from './fake-nodes.ts';

const living = new Map([['blue', new Set(['ann', 'bob'])]]);
const seenBy = (self: string, ...ids: string[]) => ({
  who: self,
  room: 'blue',
  roster: ids.map(peerNamed),
  self,
});

test('everyone sees the others, and nobody else', () => {
  expect(checkRosters([seenBy('ann', 'bob'), seenBy('bob', 'ann')], living)).toEqual({
    ghosts: 0,
    missing: 0,
    detached: 0,
    examples: [],
  });
});

test('who is gone and still seen is a ghost, who is there and not seen is missing', () => {
  const check = checkRosters([seenBy('ann', 'eve')], living);
  expect(check).toMatchObject({ ghosts: 1, missing: 1 });
  expect(check.examples).toEqual(['ghost: ann sees eve in blue', 'missing: ann does not see bob in blue']);
});

test('who is there and shown without a connection counts', () => {
  const bob = { ...peerNamed('bob'), connected: false };
  expect(checkRosters([{ who: 'ann', room: 'blue', roster: [bob], self: 'ann' }], living).detached).toBe(1);
});

test('a probe is nobody', () => {
  const probe = { ...peerNamed('x'), name: 'probe' };
  const views = [{ who: 'ann', room: 'blue', roster: [probe, peerNamed('bob')], self: 'ann' }];
  expect(checkRosters(views, living)).toMatchObject({ ghosts: 0, missing: 0 });
});
