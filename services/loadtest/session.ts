import type { JoinReply, Peer, PeerId, Snapshot } from '@fenghuo/protocol';

import type { RequestLine } from './request-line.ts';

/** One membership of a room as its client keeps it, whatever connection it is on. */
export class Session {
  readonly id: PeerId;
  readonly room: string;
  readonly windowMs: number;
  readonly token: string;
  readonly requests: RequestLine;
  readonly joinedMs = performance.now();
  /** When a connection that it was on last brought anything; of the one that it is on, the connection knows. */
  heardMs = performance.now();
  endedMs: number | undefined;
  /** Its end was asked for. */
  isLeaving = false;
  /** Of the last resume that was sent; rises with each. */
  attempt = 0;
  seq = 0;
  epoch = 0;
  self: Peer;
  readonly roster = new Map<PeerId, Peer>();

  constructor(room: string, reply: JoinReply, requests: RequestLine) {
    this.id = reply.self.id;
    this.self = reply.self;
    this.room = room;
    this.windowMs = reply.resume_window_ms;
    this.token = reply.resume_token;
    this.requests = requests;
    this.replace(reply);
  }

  get isOver(): boolean {
    return this.endedMs !== undefined;
  }

  /** Rule 4: a snapshot replaces roster, seq and epoch; ids, token and peer id stay. */
  replace(snapshot: Snapshot): void {
    this.self = snapshot.self;
    this.seq = snapshot.seq;
    this.epoch = snapshot.epoch;
    this.roster.clear();
    for (const peer of snapshot.peers) this.roster.set(peer.id, peer);
  }

  /** Rule 1: what was received is the position. Only for events above it. */
  apply(name: string, event: { readonly seq: number }): void {
    this.seq = event.seq;
    if (name === 'peer_joined' || name === 'peer_updated') {
      const { peer } = event as unknown as { peer: Peer };
      if (peer.id === this.id) this.self = peer;
      else if (name === 'peer_joined' || this.roster.has(peer.id)) this.roster.set(peer.id, peer);
    } else if (name === 'peer_left') {
      this.roster.delete((event as unknown as { peer: PeerId }).peer);
    }
  }
}
