/** Sizes, rates and counts of the wire. A setting may replace the ones marked as defaults. */

/** The version a node names in `welcome`. */
export const PROTOCOL_VERSION = 1;

export const ROOM_NAME_CHARS_MAX = 128;
export const PEER_NAME_CHARS_MAX = 64;
export const TOPIC_CHARS_MAX = 64;
export const ID_CHARS_MAX = 64;

/** Default of MESSAGE_BYTES_MAX: a request's payload as compact JSON in UTF-8. */
export const MESSAGE_BYTES_MAX = 65_536;

/** A peer's metadata, and that of all members of a room together, as compact JSON in UTF-8. */
export const METADATA_BYTES_MAX = 8_192;
export const ROOM_METADATA_BYTES_MAX = 262_144;

/** A WebSocket message over this closes its connection. */
export const FRAME_BYTES_MAX = 262_144;

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
