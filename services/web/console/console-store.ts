import { batch, computed, signal } from '@preact/signals';
import { type Language, pickLanguage } from '../language.ts';
import { remember, remembered } from '../remember.ts';
import {
  AdminApi,
  type Answer,
  type ClusterEvent,
  type EventsReply,
  type FailureCode,
  type NodesReply,
  type RoomQuery,
  type RoomReply,
  type RoomSummary,
  type RoomsReply,
} from './admin-api.ts';
import { tailAfter } from './event-tail.ts';
import { remembering, type Sample } from './history.ts';
import { type NodeView, nodesAfter } from './node-list.ts';
import type { Order, Outcome, Values } from './orders.ts';
import { linkTo, type Place, readPlace } from './place.ts';
import { Poller } from './poller.ts';
import { STRINGS, type Strings } from './strings.ts';

const LOOK_EVERY_MS = 2_000;
const LOOK_EVERY_MS_MAX = 16_000;
const ROOMS_PER_PAGE = 50;
const TOKEN_KEY = 'fenghuo.console.token';
/** Who types on has not finished the word. */
const TYPING_MS = 200;
const NOTES_MAX = 4;
/** What went well need not be dismissed. */
const NOTE_SHOWN_MS = 8_000;

export type SignInFailure = keyof Strings['signInFailures'];

/** What came of an action, until it is dismissed or, where all went well, a while has passed. */
export interface Note {
  readonly key: number;
  readonly tone: Outcome['tone'] | 'bad';
  readonly words: (strings: Strings) => string;
  readonly code?: FailureCode;
}

/** How fresh the figures are. */
export type Freshness =
  | { readonly state: 'looking' }
  | { readonly state: 'live' }
  | { readonly state: 'behind'; readonly code: FailureCode; readonly retryInMs: number };

/** A page, and what was asked for it. */
export interface RoomsPage extends RoomsReply {
  readonly query: RoomQuery;
}

/** A room that is open on the page. `gone`: it has ended, or never was. */
export type OpenRoom =
  | { readonly id: string; readonly state: 'asked' | 'gone' }
  | (RoomReply & { readonly id: string; readonly state: 'there' });

/** Everything the console shows, as signals, and everything an operator can do there. */
export class ConsoleStore {
  readonly language = signal<Language>(pickLanguage([remembered('language'), ...navigator.languages]));
  readonly strings = computed<Strings>(() => STRINGS[this.language.value]);
  readonly place = signal<Place>(readPlace(location.hash));

  readonly stage = signal<'signed-out' | 'asking' | 'signed-in'>('signed-out');
  readonly signInFailure = signal<SignInFailure | undefined>(undefined);

  readonly freshness = signal<Freshness>({ state: 'looking' });
  readonly nodes = signal<readonly NodeView[]>([]);
  readonly samples = signal<readonly Sample[]>([]);
  /** Of the whole cluster, each once. */
  readonly roomTotal = signal<number | undefined>(undefined);
  readonly events = signal<readonly ClusterEvent[]>([]);
  readonly eventsFailure = signal<FailureCode | undefined>(undefined);

  readonly filter = signal('');
  readonly sort = signal<'size' | 'name'>('size');
  /** The cursors of the pages up to the one that is shown; none: the first. */
  readonly cursors = signal<readonly string[]>([]);
  readonly roomsPage = signal<RoomsPage | undefined>(undefined);
  /** None on the last page, and while another page is looked for: a cursor goes on from one page of one listing. */
  readonly nextCursor = computed(() => {
    const page = this.roomsPage.value;
    if (page === undefined) return undefined;
    const { filter, sort, cursor } = page.query;
    const isShown =
      filter === this.filter.value && sort === this.sort.value && cursor === this.cursors.value.at(-1);
    return isShown ? page.next_cursor : undefined;
  });
  readonly openRoom = signal<OpenRoom | undefined>(undefined);

  readonly notes = signal<readonly Note[]>([]);
  /** The order that is put to the operator. */
  readonly asked = signal<Order | undefined>(undefined);

  #api: AdminApi | undefined;
  #lastEvent: string | undefined;
  #lastKey = 0;
  #typing: ReturnType<typeof setTimeout> | undefined;
  readonly #poller = new Poller({
    everyMs: LOOK_EVERY_MS,
    everyMsMax: LOOK_EVERY_MS_MAX,
    look: (aborted) => this.#look(aborted),
    onFailure: (retryInMs) => {
      const { value } = this.freshness;
      if (value.state === 'behind') this.freshness.value = { ...value, retryInMs };
    },
  });

  constructor() {
    addEventListener('hashchange', () => this.#goTo(readPlace(location.hash)));
    document.addEventListener('visibilitychange', () => this.#pauseWhileHidden());
    this.#goTo(this.place.value);
    const token = keptToken();
    if (token !== undefined) this.#enter(new AdminApi(token));
  }

  setLanguage(language: Language): void {
    this.language.value = language;
    remember('language', language);
  }

  /** Tries the token on the node, and keeps it for this tab where it is the right one. */
  async signIn(token: string): Promise<void> {
    const api = new AdminApi(token);
    this.stage.value = 'asking';
    this.signInFailure.value = undefined;
    const answer = await api.nodes();
    // A node that cannot reach its backplane has checked the token, and is worth looking at.
    if (answer.ok || answer.code === 'unavailable') {
      keepToken(token);
      this.#enter(api);
      return;
    }
    const { code } = answer;
    batch(() => {
      this.stage.value = 'signed-out';
      this.signInFailure.value = code === 'unauthorized' || code === 'forbidden' ? code : 'other';
    });
  }

  /** With a token that was right once: where it no longer is, the first look tells. */
  #enter(api: AdminApi): void {
    this.#api = api;
    this.freshness.value = { state: 'looking' };
    this.stage.value = 'signed-in';
    this.#pauseWhileHidden();
  }

  /** Forgets the token, and all that it let see. */
  signOut(why?: SignInFailure): void {
    this.#poller.stop();
    this.#api = undefined;
    this.#lastEvent = undefined;
    forgetToken();
    batch(() => {
      this.stage.value = 'signed-out';
      this.signInFailure.value = why;
      this.nodes.value = [];
      this.samples.value = [];
      this.roomTotal.value = undefined;
      this.events.value = [];
      this.roomsPage.value = undefined;
      this.openRoom.value = undefined;
      this.asked.value = undefined;
      this.notes.value = [];
    });
  }

  setFilter(filter: string): void {
    this.filter.value = filter;
    this.cursors.value = [];
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#poller.hurry(), TYPING_MS);
  }

  setSort(sort: 'size' | 'name'): void {
    this.sort.value = sort;
    this.#turnTo([]);
  }

  nextPage(): void {
    const next = this.nextCursor.value;
    if (next !== undefined) this.#turnTo([...this.cursors.value, next]);
  }

  previousPage(): void {
    this.#turnTo(this.cursors.value.slice(0, -1));
  }

  #turnTo(cursors: readonly string[]): void {
    this.cursors.value = cursors;
    this.#poller.hurry();
  }

  /** Puts the order to the operator first where it is one to think about; else gives it. */
  order(order: Order): void {
    if (order.question === undefined) void this.give(order, {});
    else this.asked.value = order;
  }

  /** Gives the order, and notes what came of it. Resolves to why it failed. */
  async give(order: Order, values: Values): Promise<FailureCode | undefined> {
    if (this.#api === undefined) return 'unauthorized';
    const answer = await order.give(this.#api, values);
    if (answer.ok) {
      if (this.asked.value === order) this.asked.value = undefined;
      this.#note(answer.outcome);
      this.#poller.hurry();
      return undefined;
    }
    const { code, message } = answer;
    if (this.#isShutOut([answer])) return code;
    // A question that is still open shows the failure itself.
    if (this.asked.value !== order) {
      const detail = code === 'invalid_request' ? ` ${message}` : '';
      this.#note({ tone: 'bad', code, words: ({ failures }) => failures[code] + detail });
    }
    return code;
  }

  #note(note: Omit<Note, 'key'>): void {
    const key = ++this.#lastKey;
    this.notes.value = [...this.notes.value, { ...note, key }].slice(-NOTES_MAX);
    if (note.tone === 'good') setTimeout(() => this.dismiss(key), NOTE_SHOWN_MS);
  }

  dismiss(key: number): void {
    this.notes.value = this.notes.value.filter((note) => note.key !== key);
  }

  #goTo(place: Place): void {
    this.place.value = place;
    const room = place.view === 'rooms' ? place.room : undefined;
    if (this.openRoom.value?.id !== room) {
      this.openRoom.value = room === undefined ? undefined : { id: room, state: 'asked' };
    }
    this.#poller.hurry();
  }

  #pauseWhileHidden(): void {
    if (this.#api === undefined) return;
    if (document.hidden) this.#poller.stop();
    else this.#poller.start();
  }

  async #look(aborted: AbortSignal): Promise<boolean> {
    const api = this.#api;
    if (api === undefined) return true;
    const place = this.place.value;
    const [filter, sort, cursor] = [this.filter.value, this.sort.value, this.cursors.value.at(-1)];
    const query: RoomQuery =
      place.view === 'rooms'
        ? { filter, sort, cursor, limit: ROOMS_PER_PAGE }
        : { filter: '', sort: 'size', limit: 1 };
    const id = place.view === 'rooms' ? place.room : undefined;
    const [nodes, events, rooms, room] = await Promise.all([
      api.nodes(aborted),
      api.events(this.#lastEvent, aborted),
      api.rooms(query, aborted),
      id === undefined ? undefined : api.room(id, aborted),
    ]);
    if (aborted.aborted) return true;
    const answers = [nodes, rooms, events, ...(room === undefined ? [] : [room])];
    if (this.#isShutOut(answers)) return true;
    batch(() => {
      this.#takeNodes(nodes);
      this.#takeEvents(events);
      this.#takeRooms(rooms, query, place.view);
      if (id !== undefined && room !== undefined) this.#takeRoom(id, room);
    });
    const isRoomTold = room === undefined || room.ok || isNoRoom(room.code);
    const failure = [nodes, rooms, ...(isRoomTold ? [] : [room])].find((answer) => !answer.ok);
    this.freshness.value =
      failure === undefined
        ? { state: 'live' }
        : { state: 'behind', code: failure.code, retryInMs: LOOK_EVERY_MS };
    return failure === undefined;
  }

  /** Signs out where the node no longer takes the token, or has no admin API any more. */
  #isShutOut(answers: readonly Answer<object>[]): boolean {
    const codes = answers.map((answer) => (answer.ok ? undefined : answer.code));
    if (codes.includes('unauthorized')) this.signOut('signedOut');
    else if (codes.includes('forbidden')) this.signOut('forbidden');
    return this.#api === undefined;
  }

  #takeNodes(answer: Answer<NodesReply>): void {
    if (!answer.ok) return;
    const now = Date.now();
    this.nodes.value = nodesAfter(this.nodes.value, answer.nodes, now);
    this.samples.value = remembering(this.samples.value, now, answer.nodes);
  }

  #takeEvents(answer: Answer<EventsReply>): void {
    this.eventsFailure.value = answer.ok ? undefined : answer.code;
    if (!answer.ok) return;
    this.#lastEvent = answer.last_id ?? this.#lastEvent;
    this.events.value = tailAfter(this.events.value, answer.events);
  }

  #takeRooms(answer: Answer<RoomsReply>, query: RoomQuery, view: Place['view']): void {
    if (!answer.ok) return;
    this.roomTotal.value = answer.total;
    if (view === 'rooms') this.roomsPage.value = { ...answer, query };
  }

  #takeRoom(id: string, answer: Answer<RoomReply>): void {
    if (answer.ok) this.openRoom.value = { ...answer, id, state: 'there' };
    else if (isNoRoom(answer.code)) this.openRoom.value = { id, state: 'gone' };
  }
}

/** No such room; or a name that none can have, from a link that somebody typed. */
function isNoRoom(code: FailureCode): boolean {
  return code === 'room_not_found' || code === 'invalid_request';
}

export function roomLink(room: RoomSummary): string {
  return linkTo({ view: 'rooms', room: room.id });
}

// sessionStorage: the token is this tab's, and gone with it. It is never part of an address.

function keptToken(): string | undefined {
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function keepToken(token: string): void {
  try {
    sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // Storage is off: the token lasts as long as the page.
  }
}

function forgetToken(): void {
  try {
    sessionStorage.removeItem(TOKEN_KEY);
  } catch {
    // Nothing was kept.
  }
}
