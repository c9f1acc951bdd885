/** Where clients connect, and what is known of it. */
export interface Target {
  readonly url: string;
  readonly region?: string;
  readonly node?: string;
}

/** What clients show when they connect. */
export type Credentials =
  | { readonly kind: 'none' }
  /** One token for all. */
  | { readonly kind: 'token'; readonly token: string }
  /** A token for each, signed here (HS256). */
  | { readonly kind: 'secret'; readonly secret: string };

/** What happens once everybody is there. */
export type Activity = 'calls' | 'stream' | 'mesh' | 'churn' | 'soak' | 'abuse';

/** What all workers of a run are told; with which of them one is, that decides everything it does. */
export interface Plan {
  /** In the rooms' names, so that two runs against one cluster don't meet. */
  readonly runId: string;
  readonly seed: number;
  readonly targets: readonly Target[];
  /** Clients stay with one target, rather than go elsewhere when it fails. */
  readonly isPinned: boolean;
  /** A room's members belong to different workers. */
  readonly isAcross: boolean;
  /** Rooms have homes: the regions of the targets, in turn, at home and across (`placeIn`). */
  readonly hasHomes: boolean;
  readonly credentials: Credentials;
  /** Rooms that stand for the whole run, of so many peers each. */
  readonly rooms: number;
  readonly peers: number;
  /** Connections a second while they are filled. */
  readonly rampPerS: number;
  readonly activity: Activity;
  /** Signals a second, of all workers. */
  readonly rate: number;
  readonly durationS: number;
  /** There is load until `finish`, however long that takes. */
  readonly isOpenEnded: boolean;
  /** Of a call, on average. */
  readonly holdS: number;
  /** Members who leave, and others who come, in a second. */
  readonly churnPerS: number;
}

/** Which of the workers one is. */
export interface Share {
  readonly index: number;
  readonly of: number;
}

/** Where a room lives, and which target each of its members tries first. */
export interface Place {
  readonly suffix: string;
  readonly first: number;
  /** Whether all of the room are in its home, wherever they are sent later; undefined without homes. */
  readonly isAtHome?: boolean;
}

/** Without homes, members of a room begin on different targets. With homes, of four rooms two are wholly at home. */
export function placeIn({ hasHomes, targets }: Plan, room: number, member: number): Place {
  if (!hasHomes) return { suffix: '', first: room + member };
  const home = room % targets.length;
  const isAtHome = Math.floor(room / targets.length) % 2 === 0;
  const { region } = targets[home] as Target;
  return {
    suffix: region === undefined ? '' : `@${region}`,
    first: isAtHome ? home : home + member,
    isAtHome,
  };
}

/** When the last thing begins, in milliseconds after the first could. */
export function endMsOf({ durationS, isOpenEnded }: Plan): number {
  return isOpenEnded ? Number.POSITIVE_INFINITY : durationS * 1_000;
}

/** Whether a member of a room is this worker's. Pairs that share a worker share a clock, so that they can be timed. */
export function isOurs(room: number, member: number, { isAcross }: Plan, { index, of }: Share): boolean {
  return (room + (isAcross ? member : 0)) % of === index;
}
