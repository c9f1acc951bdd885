/** Sizes, rates and counts of the wire. A setting may replace the ones marked as defaults. */

/** The version a node names in `welcome`. */
export const PROTOCOL_VERSION = 1;

export const ROOM_NAME_CHARS_MAX = 128;
export const PEER_NAME_CHARS_MAX = 64;
export const TOPIC_CHARS_MAX = 64;
export const ID_CHARS_MAX = 64;

/** Default of MESSAGE_BYTES_MAX: a request's payload as compact JSON in UTF-8. */
export const MESSAGE_BYTES_MAX = 65_536;

/** A WebSocket message over this closes its connection. */
export const FRAME_BYTES_MAX = 262_144;

/**
 * Of a description: twelve videos that Chromium 156 sends as simulcast, with all its codecs, are 48,000. In JSON, with two
 * more for each line, it still fits into MESSAGE_BYTES_MAX.
 */
export const SDP_CHARS_MAX = 57_344;

/**
 * M-lines of a description. A peer of a mesh has five or six, an SFU that forwards voice, face and screen of 40 people 120.
 * Without a bound one description would make thousands of transceivers in the browser that takes it.
 */
export const SDP_MEDIA_SECTIONS_MAX = 128;

/** A candidate's line: RFC 8839, 5.1. Those of browsers have 60 to 250. */
export const CANDIDATE_CHARS_MAX = 1_024;

/** RFC 8839, 5.4. */
export const USERNAME_FRAGMENT_CHARS_MAX = 256;

/** RFC 5888, 4, names no length. Browsers have one or two digits, other stacks a UUID. */
export const SDP_MID_CHARS_MAX = 256;

/** How deep `data` and `metadata` may nest: deeper is `invalid_request`. */
export const JSON_DEPTH_MAX = 64;

/** Requests a client may have unanswered; the answers of as many last ids are kept. */
export const UNANSWERED_MAX = 64;

/** Default of RESUME_WINDOW_MS: how long a session outlives its connection. */
export const RESUME_WINDOW_MS = 30_000;

/** A resume token is shorter: it holds a peer's id, a secret, and a room's name and home. */
export const RESUME_TOKEN_CHARS_MAX = 1_024;

/** An announcement, or what people are told of a drain, in characters. */
export const NOTICE_CHARS_MAX = 500;

/** What `GET /regions` tells of at most, and of a region's ways in. */
export const REGIONS_MAX = 32;
export const REGION_ENDPOINTS_MAX = 16;

/** Default of ROOM_PEERS_MAX. */
export const ROOM_PEERS_MAX = 100;
