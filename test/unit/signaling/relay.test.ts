import type { PeerId } from '@fenghuo/protocol';
import { expect, test } from 'vitest';
import type { MemberState, RoomState } from '../../../services/signaling/domain/room-state.ts';
import { pathBeyond, relayKind } from '../../../services/signaling/telemetry/relay.ts';

const [ann, near, far] = ['ann', 'near', 'far'] as unknown as [PeerId, PeerId, PeerId];

/** A room of peers by the regions where they are. */
function room(regions: Readonly<Record<string, string>>): Pick<RoomState, 'members'> {
  const members = Object.entries(regions).map(
    ([id, region]) => [id as PeerId, { peer: { id, region } } as unknown as MemberState] as const,
  );
  return { members: new Map(members) };
}

const EVERYBODY = room({ ann: 'beijing', near: 'beijing', far: 'shanghai' });

test.each([
  ['for one in the region', near, EVERYBODY, 'node'],
  ['for one in another region', far, EVERYBODY, 'region'],
  ['for all, one of whom is in the region', undefined, EVERYBODY, 'node'],
  ['for all, who are in another region', undefined, room({ ann: 'beijing', far: 'shanghai' }), 'region'],
  ['for all, while nobody else is there', undefined, room({ ann: 'beijing' }), 'node'],
  ['for one who has just gone', 'gone' as PeerId, EVERYBODY, 'node'],
  ['in a room that was not read yet', far, undefined, 'node'],
] as const)(
  'what nobody on the sender’s node gets, %s, counts by the nearest who does',
  (_, to, state, path) => {
    expect(pathBeyond({ from: ann, to }, state, 'beijing')).toBe(path);
  },
);

test.each([
  ['signal', { description: { type: 'offer', sdp: 'v=0' } }, 'sdp'],
  ['signal', { candidate: { candidate: '"description"' } }, 'other'],
  ['signal', { candidate: null }, 'other'],
  ['message', { topic: 'chat', data: { description: 1 } }, 'other'],
] as const)('a %s with %j is of the kind %s', (type, content, kind) => {
  expect(relayKind({ type, from: ann, body: JSON.stringify({ from: ann, ...content }) })).toBe(kind);
});
