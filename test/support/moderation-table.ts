import { type Moderation, type PeerId, ROLES, type Role } from '@fenghuo/protocol';

/** What a member was before the order came. */
export type State = 'plain' | 'muted' | 'detached';

export const ACTORS = [...ROLES, 'operator'] as const;
export type ActorName = (typeof ACTORS)[number];

/** `ok`: something changes. `--`: ok, and nothing does. `no`: forbidden. `??`: peer_not_found. */
export type Outcome = 'ok' | '--' | 'no' | '??';

/** Every row an actor, every column the role of the one acted on; `self` is the actor. */
export type Grid = string;

const ON_THOSE_BELOW: Grid = `
             host moderator speaker listener self unknown
  host       no   ok        ok      ok       no   ??
  moderator  no   no        ok      ok       no   ??
  speaker    no   no        no      no       no   no
  listener   no   no        no      no       no   no
  operator   ok   ok        ok      ok       .    ??`;

const WITHOUT_EFFECT: Grid = `
             host moderator speaker listener self unknown
  host       no   --        --      --       no   ??
  moderator  no   no        --      --       no   ??
  speaker    no   no        no      no       no   no
  listener   no   no        no      no       no   no
  operator   --   --        --      --       .    ??`;

const GRANTS: Readonly<Record<Role, Grid>> = {
  host: `
             host moderator speaker listener self unknown
  host       no   no        no      no       no   ??
  moderator  no   no        no      no       no   ??
  speaker    no   no        no      no       no   no
  listener   no   no        no      no       no   no
  operator   --   ok        ok      ok       .    ??`,
  moderator: `
             host moderator speaker listener self unknown
  host       no   --        ok      ok       no   ??
  moderator  no   no        no      no       no   ??
  speaker    no   no        no      no       no   no
  listener   no   no        no      no       no   no
  operator   ok   --        ok      ok       .    ??`,
  speaker: `
             host moderator speaker listener self unknown
  host       no   ok        --      ok       no   ??
  moderator  no   no        --      ok       no   ??
  speaker    no   no        no      no       no   no
  listener   no   no        no      no       no   no
  operator   ok   ok        --      ok       .    ??`,
  listener: `
             host moderator speaker listener self unknown
  host       no   ok        ok      --       no   ??
  moderator  no   no        ok      --       no   ??
  speaker    no   no        no      no       no   no
  listener   no   no        no      no       no   no
  operator   ok   ok        ok      --       .    ??`,
};

const onPeer = (action: 'mute' | 'unmute') => (peer: PeerId) =>
  ({ action, peer, kinds: ['audio'] }) satisfies Moderation;
const away = (action: 'kick' | 'ban') => (peer: PeerId) => ({ action, peer }) satisfies Moderation;
const grant = (role: Role) => (peer: PeerId) => ({ action: 'set_role', peer, role }) satisfies Moderation;

const alike = (grid: Grid) => ({ plain: grid, muted: grid, detached: grid });

/** What each order to one peer comes to, by what that peer was before. */
export const ORDERS_TO_PEERS: readonly [
  string,
  (peer: PeerId) => Moderation,
  Readonly<Record<State, Grid>>,
][] = [
  ['mute', onPeer('mute'), { ...alike(ON_THOSE_BELOW), muted: WITHOUT_EFFECT }],
  ['unmute', onPeer('unmute'), { ...alike(WITHOUT_EFFECT), muted: ON_THOSE_BELOW }],
  ['kick', away('kick'), alike(ON_THOSE_BELOW)],
  ['ban', away('ban'), alike(ON_THOSE_BELOW)],
  ['set_role to host', grant('host'), alike(GRANTS.host)],
  ['set_role to moderator', grant('moderator'), alike(GRANTS.moderator)],
  ['set_role to speaker', grant('speaker'), alike(GRANTS.speaker)],
  ['set_role to listener', grant('listener'), alike(GRANTS.listener)],
];

/** What each order to the room comes to, in one that is open, and in one that is locked. */
export const ORDERS_TO_ROOM: Grid = `
             lock unlock close lock,locked unlock,locked close,locked
  host       ok   --     ok    --          ok            ok
  moderator  ok   --     no    --          ok            no
  speaker    no   no     no    no          no            no
  listener   no   no     no    no          no            no
  operator   ok   --     ok    --          ok            ok`;

/** The columns of a grid of orders to peers. */
export const TARGETS = [...ROLES, 'self', 'unknown'] as const;

/** A grid's rows, blanks normalized, without its heading. */
export function rowsOf(grid: Grid): string {
  return grid
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.trim().replace(/\s+/g, ' '))
    .join('\n');
}
