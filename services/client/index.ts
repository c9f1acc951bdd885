/**
 * The SDK of Fenghuo. In a browser:
 *
 *     const session = join('https://node.example', { room: 'blue', name: 'Wei' });
 *     const call = new MeshCall(session);
 *     for (const track of stream.getTracks()) call.addTrack(track, stream);
 *     call.on('media', ({ peer, streams }) => show(peer, streams));
 *     await session.joined;
 *
 * Rooms have rules. `session.moderate({ action: 'mute', peer, kinds: ['audio'] })` is an order of a host's or moderator's;
 * `peer_updated` and `room_updated` tell everyone what has changed, and the call follows by itself: it stops sending what
 * one is muted in, and gives on nothing of what others are muted in. Who was sent out finds why in the state `closed`.
 * `token` may be a function, which is asked again before a token runs out.
 *
 * `join` takes several nodes of a cluster, too, and stays in the room when connections, nodes or Redis fail: the media
 * goes on, and what was said meanwhile follows. `session.on('state', …)` tells how it stands.
 *
 * A cluster in several regions is entered at the nearest: `join('https://node.example', { discover: true, … })` asks it for
 * its regions, `join([{ name: 'beijing', endpoints }, …], …)` brings them along. `session.region` and `regionTimes` tell
 * where one is and what was measured; `new EchoTimes(session)` measures the way of words to each of the others.
 *
 * In Node the same `join` gives roster, signals and messages; a `MeshCall` needs a browser's
 * RTCPeerConnection, or another one handed to it.
 */

export type * from '@fenghuo/protocol';
export { PEER_NAME_CHARS_MAX, ROOM_NAME_CHARS_MAX } from '@fenghuo/protocol';
export { ECHO_TOPIC, EchoTimes } from './echo-times.ts';
export { Emitter } from './emitter.ts';
export { IncomingMedia } from './incoming-media.ts';
export type { LinkFault, LinkPhase, LinkState, LinkStep, OutgoingSignal } from './link-state.ts';
export type { LinkStats } from './link-stats.ts';
export { type CallEvents, MeshCall, type MeshCallOptions } from './mesh-call.ts';
export { type MediaKind, OutgoingMedia } from './outgoing-media.ts';
export { PeerLink, type PeerLinkOptions } from './peer-link.ts';
export type { Entrances } from './region-choice.ts';
export {
  type MeasuredRegion,
  type Region,
  type RegionTime,
  type SurveyOptions,
  surveyRegions,
} from './region-survey.ts';
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
