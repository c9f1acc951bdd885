import { expect, test } from 'vitest';
import { homeElsewhere, pathTo } from '../../../services/web/paths.ts';

const HERE = { node: 'beijing-1', region: 'beijing' };

test('signals go through one node, through two of one region, or across regions', () => {
  expect(pathTo({ node: 'beijing-1', region: 'beijing' }, HERE)).toBe('local');
  expect(pathTo({ node: 'beijing-2', region: 'beijing' }, HERE)).toBe('region');
  expect(pathTo({ node: 'shanghai-1', region: 'shanghai' }, HERE)).toBe('across');
});

test("a room's home is told where it is in another region than one's own, and never of a cluster with one home", () => {
  expect(homeElsewhere({ home: 'shanghai' }, HERE)).toBe('shanghai');
  expect(homeElsewhere({ home: 'beijing' }, HERE)).toBeUndefined();
  expect(homeElsewhere({ home: 'main' }, HERE)).toBeUndefined();
  expect(homeElsewhere(undefined, HERE)).toBeUndefined();
  expect(homeElsewhere({ home: 'shanghai' }, undefined)).toBeUndefined();
});
