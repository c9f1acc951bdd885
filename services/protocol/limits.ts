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

/** Of the number that ties an answer to its offer. */
export const DESCRIPTION_NUMBER_MAX = 2_147_483_647;

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

/** A peer's metadata, and that of all members of a room together, as compact JSON in UTF-8. */
export const METADATA_BYTES_MAX = 8_192;
export const ROOM_METADATA_BYTES_MAX = 262_144;

/** What is counted of those who use a node. */
export const MEASURES = [
  /** WebSocket handshakes and HTTP requests. */
  'handshakes',
  /** Requests of any kind, those that are refused included. */
  'requests',
  /** Joins and resumes. */
  'entries',
  /** Bytes that are written to room logs. */
  'log_bytes',
  /** Bytes that the node sends on somebody's behalf: a message to each member of a room, the roster of a join. */
  'sent_bytes',
  /** Tokens that are not accepted. */
  'failures',
  /** Requests that are refused: who goes on regardless is closed. */
  'refusals',
  /** Packets and control frames of any kind. */
  'frames',
] as const;
export type Measure = (typeof MEASURES)[number];

/** A token bucket: so much at once, and so much a second after that. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** What is not in a budget is not counted. */
export type Budget = Readonly<Partial<Record<Measure, Rate>>>;

const MIB = 1_048_576;

/**
 * What one session may write, and one connection, whatever sessions it has. Within the age of a log (36 s by default) that is
 * 5,600 records and 4 MiB. A person in a mesh of 20 who joins sends about 600 requests and 0.4 MiB.
 */
export const CONNECTION_BUDGET = {
  requests: { burst: 2_000, perSecond: 100 },
  entries: { burst: 20, perSecond: 1 },
  log_bytes: { burst: 2 * MIB, perSecond: 56 * 1_024 },
  sent_bytes: { burst: 32 * MIB, perSecond: 4 * MIB },
  refusals: { burst: 200, perSecond: 10 },
  frames: { burst: 4_000, perSecond: 250 },
} as const satisfies Budget;

/** The connections of one user (`sub`) may together use as much as so many. */
const USER_CONNECTIONS = 2;
export const USER_BUDGET: Budget = timesOf(
  {
    requests: CONNECTION_BUDGET.requests,
    entries: CONNECTION_BUDGET.entries,
    log_bytes: CONNECTION_BUDGET.log_bytes,
    sent_bytes: CONNECTION_BUDGET.sent_bytes,
    refusals: CONNECTION_BUDGET.refusals,
    frames: CONNECTION_BUDGET.frames,
  },
  USER_CONNECTIONS,
);

/** Default of USER_PEERS_MAX: sessions that one user (`sub`) has on a node at once. */
export const USER_PEERS_MAX = 20;

/** Default of ADDRESS_PEERS_MAX: people behind one address (an IPv6 /64 is one) whom a node serves at once. */
export const ADDRESS_PEERS_MAX = 1_000;

/** All people behind one address may come twice within the default resume window, all at once: their node may have died. */
const PERSON_BUDGET = {
  handshakes: { burst: 2, perSecond: 2 / 30 },
  requests: { burst: 200, perSecond: 10 },
  entries: { burst: 2, perSecond: 2 / 30 },
  log_bytes: { burst: 256 * 1_024, perSecond: 4 * 1_024 },
  sent_bytes: { burst: 2 * MIB, perSecond: 128 * 1_024 },
  refusals: { burst: 4, perSecond: 1 / 5 },
  frames: { burst: 400, perSecond: 25 },
  failures: { burst: 0.2, perSecond: 1 / 300 },
} as const satisfies Budget;
/** A few people use more than their part: each address may use as much as so many people. */
const PEOPLE_MIN = 50;

/** What those behind one address may use of a node together. */
export function addressBudget(peopleMax: number): Budget {
  return timesOf(PERSON_BUDGET, Math.max(peopleMax, PEOPLE_MIN));
}

function timesOf(budget: Budget, count: number): Budget {
  const rates = Object.entries(budget) as [Measure, Rate][];
  return Object.fromEntries(
    rates.map(([measure, { burst, perSecond }]) => [
      measure,
      { burst: burst * count, perSecond: perSecond * count },
    ]),
  );
}

/** Default of JOIN_WITHIN_MS: how long a connection may stay that is in no room. */
export const JOIN_WITHIN_MS = 30_000;
