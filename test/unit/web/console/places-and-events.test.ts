import { expect, test } from 'vitest';

import type { ClusterEvent } from '../../../../services/web/console/admin-api.ts';
import { EVENTS_MAX, tailAfter } from '../../../../services/web/console/event-tail.ts';
import { detailsOf, eventWords, originOf } from '../../../../services/web/console/event-words.ts';
import { fineFigure, span } from '../../../../services/web/console/figures.ts';
import { linkTo, readPlace } from '../../../../services/web/console/place.ts';

const event = (id: number, members: object = {}): ClusterEvent => ({
  id: `${id}-0`,
  at: '2026-01-01T00:00:00Z',
  node: 'beijing-1',
  event: 'node_started',
  ...members,
});

test.each([
  { view: 'nodes' },
  { view: 'events' },
  { view: 'rooms' },
  { view: 'rooms', room: 'a/b #1 100% 玉门关@beijing' },
] as const)('a link leads back to %o', (place) => {
  expect(readPlace(linkTo(place))).toEqual(place);
});

test.each(['', '#', '#/nowhere', '#rooms'])('an address that ends in "%s" shows the nodes', (hash) => {
  expect(readPlace(hash)).toEqual({ view: 'nodes' });
});

test('a link that is broken shows the rooms', () => {
  expect(readPlace('#/rooms/%E7%8E')).toEqual({ view: 'rooms' });
});

test('the tail has the newest first, each once, and no more than it may', () => {
  const tail = tailAfter([event(2), event(1)], [event(2), event(3), event(4)]);
  expect(tail.map(({ id }) => id)).toEqual(['4-0', '3-0', '2-0', '1-0']);
  const many = Array.from({ length: EVENTS_MAX + 50 }, (_, n) => event(n + 10));
  expect(tailAfter(tail, many)).toHaveLength(EVENTS_MAX);
});

test('an event has words in both languages; what an operator did goes by the deed', () => {
  const deed = { event: 'audit', action: 'room_moderate', order: 'kick', target: 'blue@main', peer: 'p1' };
  expect(eventWords(event(1, { ...deed, outcome: 'ok' }), 'en')).toBe('Operator: kick');
  expect(eventWords(event(1, { ...deed, outcome: 'peer_not_found' }), 'en')).toBe('Refused: Operator: kick');
  expect(eventWords(event(1, { ...deed, outcome: 'ok' }), 'zh')).toBe('运维：请出');
  const full = event(1, { ...deed, outcome: 'ok', address: '10.0.0.7', token: '8377bfb2' });
  expect(detailsOf(full)).toBe('target=blue@main peer=p1');
  expect(originOf(full)).toBe('address=10.0.0.7 token=8377bfb2');
  expect(detailsOf(event(1, { ...deed, outcome: 'peer_not_found' }))).toContain('outcome=peer_not_found');
});

test('an event that is newer than the page is told by its name', () => {
  expect(eventWords(event(1, { event: 'moon_rose' }), 'zh')).toBe('moon rose');
  expect(detailsOf(event(1, { event: 'moon_rose', phase: 3 }))).toBe('phase=3');
});

test('figures are short', () => {
  expect([0, 59, 60, 3_725, 90_000, null].map(span)).toEqual(['0s', '59s', '1m', '1h 2m', '1d 1h', '–']);
  expect([0, 3.26, 31.4, 12_345.6, null].map(fineFigure)).toEqual(['0', '3.3', '31', '12,346', '–']);
});
