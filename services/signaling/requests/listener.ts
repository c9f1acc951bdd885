import type { PeerId, Snapshot } from '@fenghuo/protocol';
import type { Listener } from '../backplane/room-feed.ts';
import type { RoomSnapshot } from '../backplane/room-log.ts';
import type { Connection, RequestContext } from './context.ts';
import { end, left } from './leave.ts';

/** What a room's feed tells a connection. */
export function listenerOf(context: RequestContext, connection: Connection, peer: PeerId): Listener {
  return {
    peer,
    deliver: (record) => connection.sendRecord(record),
    resync: (snapshot, complete) => {
      connection.send('resync', { complete, ...snapshotFor(context, peer, snapshot) } as never);
    },
    left: (id) => left(context, connection, id),
    replaced: () => {
      const session = connection.membership;
      if (session !== undefined && session !== 'joining') end(context, connection, session, 'replaced');
      connection.remove('replaced');
    },
    lost: () => connection.drop('session_lost'),
  };
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
    ice_servers: context.iceServers,
  };
}
