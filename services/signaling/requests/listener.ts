import type { Peer, PeerId, RemovedReason, Snapshot } from '@fenghuo/protocol';
import type { Listener } from '../backplane/room-seat.ts';
import { peerOf, type RoomRecord } from '../domain/room-record.ts';
import type { RoomSnapshot } from '../domain/room-state.ts';
import type { Connection, RequestContext } from './context.ts';
import { end, left } from './leave.ts';

/** What a room's feed tells a connection. */
export class ConnectionListener implements Listener {
  readonly peer: PeerId;
  readonly #context: RequestContext;
  readonly #connection: Connection;

  constructor(context: RequestContext, connection: Connection, peer: PeerId) {
    this.peer = peer;
    this.#context = context;
    this.#connection = connection;
  }

  deliver(record: RoomRecord): void {
    if (record.from === this.peer) noteMutes(this.#connection, peerOf(record)?.muted);
    this.#connection.sendRecord(record);
  }

  resync(snapshot: RoomSnapshot, complete: boolean): void {
    noteMutes(this.#connection, snapshot.peers.find((each) => each.id === this.peer)?.muted);
    const told = snapshotFor(this.#context, this.peer, snapshot);
    this.#connection.send('resync', { complete, ...told } as never);
  }

  left(id: number): void {
    left(this.#context, this.#connection, id);
  }

  removed(reason: RemovedReason, by: PeerId | undefined): void {
    const connection = this.#connection;
    const session = connection.membership;
    if (session === undefined || session === 'joining') return;
    const remove = () => {
      if (connection.membership === session) end(this.#context, connection, session, 'removed');
      connection.remove(reason, by);
    };
    // Who closed the room has his answer first: this is the last that he hears.
    if (by === this.peer) session.whenIdle(remove);
    else remove();
  }

  replaced(): void {
    const session = this.#connection.membership;
    if (session !== undefined && session !== 'joining')
      end(this.#context, this.#connection, session, 'replaced');
    this.#connection.remove('replaced');
  }

  lost(): void {
    this.#connection.drop('session_lost');
  }
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
    ttl_s: context.iceTtlS,
  };
}
