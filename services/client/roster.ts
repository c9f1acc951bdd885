import type { Peer, PeerId, Room, Snapshot } from '@fenghuo/protocol';
import type { ServerEvent } from './signaling-connection.ts';

/** Who is in the room, and how far its log has been read. */
export class Roster {
  #snapshot: Snapshot | undefined;
  #peers = new Map<PeerId, Peer>();
  #seq = 0;

  /** Undefined before the first join. */
  get self(): Peer | undefined {
    return this.#snapshot?.self;
  }

  get room(): Room | undefined {
    return this.#snapshot?.room;
  }

  /** The others, in the order in which they joined. */
  get peers(): ReadonlyMap<PeerId, Peer> {
    return this.#peers;
  }

  get seq(): number {
    return this.#seq;
  }

  get epoch(): number {
    return this.#snapshot?.epoch ?? 0;
  }

  /** Takes a picture of the room in the place of everything known, be its seq lower or its epoch another. */
  replace(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#seq = snapshot.seq;
    this.#peers = new Map(snapshot.peers.map((peer) => [peer.id, peer]));
  }

  /** Follows an event; false where it was heard before, as its seq tells. */
  follow(event: ServerEvent): boolean {
    if (event.name === 'resync') {
      this.replace(event.data as Snapshot);
      return true;
    }
    const { seq } = event.data as { seq?: number };
    if (seq !== undefined) {
      if (seq <= this.#seq) return false;
      this.#seq = seq;
    }
    if (event.name === 'peer_joined') this.#peers.set(event.data.peer.id, event.data.peer);
    if (event.name === 'peer_updated') this.#update(event.data.peer);
    if (event.name === 'room_updated') this.#change(event.data.room);
    if (event.name === 'peer_left') this.#peers.delete(event.data.peer);
    return true;
  }

  #change(room: Room): void {
    if (this.#snapshot !== undefined) this.#snapshot = { ...this.#snapshot, room };
  }

  #update(peer: Peer): void {
    if (this.#snapshot?.self.id === peer.id) this.#snapshot = { ...this.#snapshot, self: peer };
    else if (this.#peers.has(peer.id)) this.#peers.set(peer.id, peer);
  }
}
