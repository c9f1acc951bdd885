import type { RoomAddress } from '@fenghuo/protocol';
import { registrarOf } from '../domain/homes.ts';
import { ok, type Result, refuse } from '../domain/result.ts';
import { type RoomId, roomHome, roomId, roomName } from '../domain/room-id.ts';
import type { Claimed, Claims } from './claims.ts';
import type { RoomFeeds } from './room-feeds.ts';

/** Of one home, what it takes to find rooms in it. */
export interface SearchedHome {
  readonly home: string;
  readonly claims: Claims;
  readonly feeds: Pick<RoomFeeds, 'warm' | 'sizeOf' | 'sizes'>;
  /** Whether it did when it was asked last. */
  answers(): boolean;
}

export interface LocatorOptions {
  readonly homes: readonly SearchedHome[];
  /** Where a name that is nobody's is claimed for. */
  readonly local: string;
  /** What came of asking a registrar. */
  readonly onAsked: (outcome: ClaimOutcome) => void;
}

export const CLAIM_OUTCOMES = ['taken', 'known', 'unavailable'] as const;
export type ClaimOutcome = (typeof CLAIM_OUTCOMES)[number];

export interface Located {
  readonly room: RoomId;
  /** To be called once somebody has a seat there, or gave up: until then this node listens to the room. */
  readonly letGo: () => void;
}

/** Within so many calls of `tend` each hosted room's claim is renewed. */
const RENEWED_WITHIN = 30;
const RENEWED_AT_ONCE = 128;

/** Finds the home of a room by its name, and keeps the names of the rooms that this node hosts (rule H1). */
export class RoomLocator {
  readonly #homes: ReadonlyMap<string, SearchedHome>;
  readonly #names: readonly string[];
  readonly #options: LocatorOptions;
  /** Names that their registrar said are of that home; true only while somebody is in the room here. */
  readonly #known = new Map<string, string>();
  readonly #asking = new Map<string, Promise<Result<string, 'unavailable'>>>();
  /** Hosted rooms whose registrar was asked at least once. */
  #looked = new Set<RoomId>();
  /** Known names whose room nobody was in here at the last look: their join may still be under way. */
  #idle = new Set<string>();
  #turn = 0;
  #tending: Promise<void> | undefined;

  constructor(options: LocatorOptions) {
    this.#options = options;
    this.#homes = new Map(options.homes.map((each) => [each.home, each]));
    this.#names = [...this.#homes.keys()];
  }

  /**
   * The room that a client means; undefined where it names a home that is not configured. Rooms with a suffix, and those
   * that somebody is in here, are found without asking anybody; else it takes one round trip to the registrar. Where that
   * is in another region, this node meanwhile begins to listen wherever the room may be, so that a join from afar takes
   * two round trips in all.
   */
  locate({ name, home }: RoomAddress): Promise<Result<Located, 'unavailable'>> | undefined {
    if (home !== undefined) return this.#homes.has(home) ? found(roomId(name, home)) : undefined;
    if (this.#names.length <= 1) return found(roomId(name, this.#options.local));
    const known = this.#knownHome(name);
    return known === undefined ? this.#search(name) : found(roomId(name, known));
  }

  /** Whether a name without a suffix is known here to be this room's. */
  isNamed(room: RoomId): boolean {
    return this.#names.length <= 1 || this.#known.get(roomName(room)) === roomHome(room);
  }

  /** The same, where it is not known here, as its registrar has it. */
  async isNamedByRegistrar(room: RoomId): Promise<Result<boolean, 'unavailable'>> {
    const name = roomName(room);
    const renewed = await this.#registrar(name)?.claims.renew(name, roomHome(room));
    return renewed ?? ok(false);
  }

  /** The hosted rooms of whose names a registrar would have to be told anew. */
  claimsAt(registrar: string): readonly RoomId[] {
    return [...this.#known]
      .filter(([name, home]) => registrarOf(name, this.#names) === registrar && this.#isHosted(name, home))
      .map(([name, home]) => roomId(name, home));
  }

  /** Tells a registrar that lost its data what this node knows of its names. False: it did not take all. */
  async handIn(registrar: string, life: string): Promise<boolean> {
    const claims = this.#homes.get(registrar)?.claims;
    const rooms = this.claimsAt(registrar);
    for (let at = 0; claims !== undefined && at < rooms.length; at += RENEWED_AT_ONCE) {
      const part = rooms.slice(at, at + RENEWED_AT_ONCE);
      const done = await Promise.all(
        part.map((room) => claims.restore(roomName(room), roomHome(room), life)),
      );
      if (done.some((each) => !each.ok)) return false;
    }
    return true;
  }

  /** Renews the claims of hosted rooms, a part at a time. To be called every second; one under way is not doubled. */
  tend(): Promise<void> {
    this.#tending ??= this.#tend().finally(() => {
      this.#tending = undefined;
    });
    return this.#tending;
  }

  /** Rooms that nobody is in any more: their names may be claimed anew. */
  release(rooms: readonly RoomId[]): void {
    if (this.#names.length <= 1) return;
    for (const room of rooms) {
      const [name, home] = [roomName(room), roomHome(room)];
      if (this.#isHosted(name, home)) continue;
      if (this.#known.get(name) === home) this.#known.delete(name);
      void this.#registrar(name)?.claims.release(name, home);
    }
  }

  async #search(name: string): Promise<Result<Located, 'unavailable'>> {
    const isFar = registrarOf(name, this.#names) !== this.#options.local;
    const warmed = isFar
      ? [...this.#homes.values()].map(({ home, feeds }) => feeds.warm(roomId(name, home)))
      : [];
    const letGo = () => {
      for (const each of warmed) each();
    };
    const claimed = await this.#ask(name);
    if (claimed.ok) return ok({ room: roomId(name, claimed.value), letGo });
    letGo();
    return claimed;
  }

  /** Whoever asks for the same name meanwhile gets the same answer. */
  #ask(name: string): Promise<Result<string, 'unavailable'>> {
    const asking = this.#asking.get(name) ?? this.#claim(name).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  async #claim(name: string): Promise<Result<string, 'unavailable'>> {
    const { local } = this.#options;
    const claims = this.#registrar(name)?.claims;
    const isAway = this.#homes.get(local)?.answers() !== true;
    const claimed = await (isAway ? this.#claimedElsewhere(claims, name) : claims?.claim(name, local));
    if (claimed === undefined || !claimed.ok || !this.#homes.has(claimed.value.home)) {
      this.#options.onAsked('unavailable');
      return { ok: false, code: 'unavailable' };
    }
    this.#options.onAsked(claimed.value.isNew ? 'taken' : 'known');
    this.#known.set(name, claimed.value.home);
    return ok(claimed.value.home);
  }

  /** Nothing is claimed for a home that is away: nobody could make the room, and whoever could would be kept out. */
  async #claimedElsewhere(claims: Claims | undefined, name: string): Promise<Result<Claimed, 'unavailable'>> {
    const others = this.#names.filter((home) => home !== this.#options.local);
    const renewed = await Promise.all(others.map((home) => claims?.renew(name, home)));
    const home = others.find((_, at) => renewed[at]?.ok && renewed[at].value);
    return home === undefined ? refuse('unavailable') : ok({ home, isNew: false });
  }

  #knownHome(name: string): string | undefined {
    const home = this.#known.get(name);
    return home !== undefined && this.#isHosted(name, home) ? home : undefined;
  }

  /** Whether somebody is in it: whom a node merely waits for may have a room elsewhere by now. */
  #isHosted(name: string, home: string): boolean {
    return (this.#homes.get(home)?.feeds.sizeOf(roomId(name, home)) ?? 0) > 0;
  }

  #registrar(name: string): SearchedHome | undefined {
    return this.#homes.get(registrarOf(name, this.#names));
  }

  async #tend(): Promise<void> {
    if (this.#names.length <= 1) return;
    const hosted = [...this.#homes.values()].flatMap(({ feeds }) => [...feeds.sizes()].map(([room]) => room));
    this.#forget(new Set(hosted));
    this.#turn = (this.#turn + 1) % RENEWED_WITHIN;
    const due = hosted.filter((room, at) => !this.#looked.has(room) || at % RENEWED_WITHIN === this.#turn);
    for (let at = 0; at < due.length; at += RENEWED_AT_ONCE)
      await Promise.all(due.slice(at, at + RENEWED_AT_ONCE).map((room) => this.#renew(room)));
  }

  #forget(hosted: ReadonlySet<RoomId>): void {
    this.#looked = new Set([...this.#looked].filter((room) => hosted.has(room)));
    const idle = [...this.#known].flatMap(([name, home]) => (hosted.has(roomId(name, home)) ? [] : name));
    for (const name of idle) if (this.#idle.has(name)) this.#known.delete(name);
    this.#idle = new Set(idle);
  }

  async #renew(room: RoomId): Promise<void> {
    const [name, home] = [roomName(room), roomHome(room)];
    const claims = this.#registrar(name)?.claims;
    const renewed = await claims?.renew(name, home);
    if (claims === undefined || renewed === undefined || !renewed.ok) return;
    this.#looked.add(room);
    if (renewed.value) this.#known.set(name, home);
    else if (this.#known.get(name) === home) await this.#reclaim(claims, name, home);
  }

  /** The registrar lost what it had said, perhaps while the join was on its way: its room bears the name all the same. */
  async #reclaim(claims: Claims, name: string, home: string): Promise<void> {
    const claimed = await claims.claim(name, home);
    if (claimed.ok && claimed.value.home !== home) this.#known.delete(name);
  }
}

function found(room: RoomId): Promise<Result<Located, never>> {
  return Promise.resolve(ok({ room, letGo: () => {} }));
}
