/**
 * The SDK of Fenghuo. In a browser:
 *
 *     const session = join('https://node.example', { room: 'blue', name: 'Wei' });
 *     const call = new MeshCall(session);
 *     for (const track of stream.getTracks()) call.addTrack(track, stream);
 *     call.on('media', ({ peer, streams }) => show(peer, streams));
 *     await session.joined;
 *
 * `join` takes several nodes of a cluster, too, and stays in the room when connections, nodes or Redis fail: the media
 * goes on, and what was said meanwhile follows. `session.on('state', …)` tells how it stands.
 *
 * In Node the same `join` gives roster, signals and messages; a `MeshCall` needs a browser's
 * RTCPeerConnection, or another one handed to it.
 */

export type * from '@fenghuo/protocol';
export { PEER_NAME_CHARS_MAX, ROOM_NAME_CHARS_MAX } from '@fenghuo/protocol';
export { Emitter } from './emitter.ts';
export { IncomingMedia } from './incoming-media.ts';
export type { LinkStats } from './link-stats.ts';
export { type CallEvents, MeshCall, type MeshCallOptions } from './mesh-call.ts';
export { type MediaKind, OutgoingMedia } from './outgoing-media.ts';
export { type LinkState, type OutgoingSignal, PeerLink, type PeerLinkOptions } from './peer-link.ts';
export { RequestQueue, type Transmit, WAITING_MAX } from './request-queue.ts';
export {
  type CloseReason,
  type JoinOptions,
  join,
  type Resumed,
  RoomSession,
  type SessionEvents,
  type SessionState,
} from './session.ts';
export { type Answer, connect, type ServerEvent, SignalingConnection } from './signaling-connection.ts';
export { SignalingError } from './signaling-error.ts';
export type { TokenFunction, TokenSource } from './token-keeper.ts';
export type { WireLine } from './wire-line.ts';
