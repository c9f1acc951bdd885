import type { ModerateRequest, PeerId } from '@fenghuo/protocol';
import { expect, test } from 'vitest';
import type { Network } from '../../../services/signaling/domain/address.ts';
import { roomId } from '../../../services/signaling/domain/room-id.ts';
import type { Connection, RequestContext, RoomHome } from '../../../services/signaling/requests/context.ts';
import { moderate } from '../../../services/signaling/requests/moderate.ts';
import { type Sender, Senders } from '../../../services/signaling/requests/sender.ts';
import { Session } from '../../../services/signaling/requests/session.ts';

const senderAt = (nowMs: () => number): Sender =>
  new Senders({ userPeersMax: 20, addressPeersMax: 0, onAddressLimited: () => {}, nowMs }).open(
    '192.0.2.1' as Network,
    undefined,
  );

const seat = {
  wantsState: false,
  size: 2,
  start: () => {},
  tellEpoch: async () => {},
  noteOwn: () => {},
  noteRecords: () => {},
  leave: () => {},
};

test('the books tell who was shown out, by whom, and what was given as the reason', async () => {
  const facts: unknown[] = [];
  const answer = { ok: true, value: { answer: { type: 'moderated', seq: 9 }, records: [] } };
  const context = {
    log: (fact: unknown) => facts.push(fact),
  } as unknown as RequestContext;
  const home = { rooms: { moderate: async () => answer } } as unknown as RoomHome;
  const room = roomId('blue', 'main');
  const session = new Session(
    { room, peer: 'ann' as PeerId, generation: 1, muted: [] },
    { home, seat, sender: senderAt(() => 0) },
  );
  const connection = { membership: session } as unknown as Connection;
  const order = { id: 2, action: 'ban', peer: 'bob', reason: 'spam' } as ModerateRequest;
  expect(await moderate(context, connection, order)).toMatchObject({ ok: true, value: { seq: 9 } });
  expect(facts).toEqual([
    { event: 'room_moderated', room, peer: 'ann', reason: 'ban', target: 'bob', note: 'spam' },
  ]);
});
