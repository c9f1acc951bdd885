import type { Peer, PeerId, Snapshot } from '@fenghuo/protocol';
import type { Listener } from '../backplane/room-seat.ts';
import { peerOf } from '../domain/room-record.ts';
import type { RoomSnapshot } from '../domain/room-state.ts';
import type { Connection, RequestContext } from './context.ts';
import { end, left } from './leave.ts';

/** What a room's feed tells a connection. */
export function listenerOf(context: RequestContext, connection: Connection, peer: PeerId): Listener {
  return {
    peer,
    deliver: (record) => {
      if (record.from === peer) noteMutes(connection, peerOf(record)?.muted);
      connection.sendRecord(record);
    },
    resync: (snapshot, complete) => {
      noteMutes(connection, snapshot.peers.find((each) => each.id === peer)?.muted);
      connection.send('resync', { complete, ...snapshotFor(context, peer, snapshot) } as never);
    },
    left: (id) => left(context, connection, id),
    removed: (reason, by) => {
      const session = connection.membership;
      if (session === undefined || session === 'joining') return;
      const remove = () => {
        if (connection.membership === session) end(context, connection, session, 'removed');
        connection.remove(reason, by);
      };
      // Who closed the room has his answer first: this is the last that he hears.
      if (by === peer) session.whenIdle(remove);
      else remove();
    },
    replaced: () => {
      const session = connection.membership;
      if (session !== undefined && session !== 'joining') end(context, connection, session, 'replaced');
      connection.remove('replaced');
    },
    lost: () => connection.drop('session_lost'),
  };
}

function noteMutes({ membership }: Connection, muted: Peer['muted'] | undefined): void {
  if (membership === undefined || membership === 'joining' || muted === undefined) return;
  membership.muted = muted;
}

/** The room as one of its members is told of it: `peers` never holds oneself. */
export function snapshotFor(context: RequestContext, peer: PeerId, snapshot: RoomSnapshot): Snapshot {
  const self = snapshot.peers.find((each) => each.id === peer);
  if (self === undefined) throw new Error('a snapshot without the peer it is for');
  return {
    self,
    room: snapshot.room,
    peers: snapshot.peers.filter((each) => each.id !== peer),
    seq: snapshot.seq,
    epoch: snapshot.epoch,
    ice_servers: context.iceServers(peer),
  };
}
