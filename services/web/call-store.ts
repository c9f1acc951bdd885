import {
  type CloseReason,
  ECHO_TOPIC,
  EchoTimes,
  type ErrorCode,
  join,
  type Kind,
  type LinkState,
  type LinkStats,
  type MeasuredRegion,
  MeshCall,
  type Moderation,
  type Peer,
  type PeerId,
  type Resumed,
  type Room,
  type RoomSession,
  type SessionState,
  SignalingError,
  surveyRegions,
  type WireLine,
} from '@fenghuo/client';
import { isDisplayName, roomAddressFault, withoutDirections } from '@fenghuo/protocol';
import { batch, computed, type Signal, signal } from '@preact/signals';
import { addChatLine, CHAT_TOPIC, type ChatLine, chatText } from './chat-lines.ts';
import { drawBeaconLine } from './fallback-media.ts';
import { type LocalMedia, openLocalMedia } from './local-media.ts';
import { type PageAddress, remember, roomLink } from './page-address.ts';
import type { Place } from './paths.ts';
import { HAND_TOPIC, isMuted, KINDS, mayModerate, type OwnChange, ownChanges } from './room-rules.ts';
import { type Language, pickLanguage, STRINGS, type Strings } from './strings.ts';

const LOG_LINES_MAX = 200;
/** A join brings dozens of candidates at once. */
const LOG_EVERY_MS = 100;
const ANSWERS_LOOKED_AT = 20;
const STATS_EVERY_MS = 500;
/** A connection that is back sooner is nobody's concern: the call goes on meanwhile. */
const NODE_MISSED_AFTER_MS = 1_000;
/** Whose words are those of the product's own backend. */
const SERVER = 'server';
const NARROW = '(max-width: 860px)';

/** Another person in the call. */
export interface PeerView {
  readonly peer: Peer;
  readonly link?: LinkState;
  readonly streams: readonly MediaStream[];
}

/** A line of the live log, with the name its peer had then. */
export interface LogLine extends WireLine {
  readonly key: number;
  readonly who?: string;
  readonly isAcrossNodes: boolean;
}

/** Something to explain to the person; `words` is looked up in the language that is on. */
export interface Notice {
  readonly tone: 'info' | 'error';
  readonly words: (strings: Strings) => string;
  /** Why a session ended, or a request failed. */
  readonly code?: CloseReason;
  /** A later notice about the same takes its place. */
  readonly about?: string;
}

export type ShownNotice = Notice & { readonly key: number };

/** The newest of them are shown. */
const NOTICES_MAX = 3;

/** How the session came by its present connection, where that is not its first. */
export type Comeback = Resumed | 'rejoined';

/** Everything the call page shows, as signals, and everything a person can do there. */
export class CallStore {
  readonly address: PageAddress;
  readonly language: Signal<Language>;
  readonly strings = computed<Strings>(() => STRINGS[this.language.value]);

  readonly name: Signal<string>;
  readonly room: Signal<string>;
  readonly wantsDrawn: Signal<boolean>;

  readonly stage = signal<'lobby' | 'asking' | 'call'>('lobby');
  readonly connection = signal<SessionState>({ phase: 'connecting' });
  readonly here = signal<Place | undefined>(undefined);
  /** Where the cluster may be entered, the nearest first; none where there is no choice. */
  readonly regions = signal<readonly MeasuredRegion[]>([]);
  /** The one to enter; undefined: the nearest. */
  readonly region: Signal<string | undefined>;
  readonly comeback = signal<Comeback | undefined>(undefined);
  /** For a while there was no node. */
  readonly isNodeMissed = signal(false);
  readonly self = signal<Peer | undefined>(undefined);
  readonly roomState = signal<Room | undefined>(undefined);
  readonly peers = signal<readonly PeerView[]>([]);
  readonly stats = signal<ReadonlyMap<PeerId, LinkStats>>(new Map());
  /** How long the node takes to answer: the shortest of late, since a busy page only adds to it. */
  readonly signalingMs = signal<number | undefined>(undefined);
  /** How long a word takes to each of the others and back, where their client answers. */
  readonly echoMs = signal<ReadonlyMap<PeerId, number>>(new Map());
  readonly log = signal<readonly LogLine[]>([]);
  readonly chat = signal<readonly ChatLine[]>([]);
  readonly unread = signal(0);
  /** Said to those who listen to the page rather than look at it. */
  readonly announcement = signal('');
  readonly notices = signal<readonly ShownNotice[]>([]);

  readonly media = signal<LocalMedia | undefined>(undefined);
  readonly isMicrophoneOn = signal(true);
  readonly isCameraOn = signal(true);
  readonly isHandUp = signal(false);
  readonly secondPicture = signal<MediaStream | undefined>(undefined);
  readonly isSoundBlocked = signal(false);
  /** Beside the pictures; on a narrow screen over them, and closed at first. */
  readonly panel = signal<'signals' | 'chat' | undefined>(undefined);

  #session: RoomSession | undefined;
  #call: MeshCall | undefined;
  #stopSecond: (() => void) | undefined;
  #statsTimer: ReturnType<typeof setInterval> | undefined;
  #lines = 0;
  #answerMs: number[] = [];
  #newLines: LogLine[] = [];
  #flush: ReturnType<typeof setTimeout> | undefined;
  #missing: ReturnType<typeof setTimeout> | undefined;
  readonly #names = new Map<PeerId, string>();

  constructor(address: PageAddress) {
    this.address = address;
    this.language = signal(pickLanguage([address.language, ...navigator.languages]));
    this.name = signal(address.name);
    this.room = signal(address.room);
    this.wantsDrawn = signal(address.media === 'fake');
    this.region = signal(address.region);
  }

  /** Measures the ways to the cluster's regions, so that one can choose among them. */
  async lookAround(): Promise<void> {
    if (!this.address.isDiscovering || this.stage.value !== 'lobby') return;
    const regions = await surveyRegions(this.address.nodes);
    if (regions.length > 1) this.regions.value = regions;
  }

  /** For this visit and the next ones; undefined: whichever is the nearest. */
  chooseRegion(region: string | undefined): void {
    this.region.value = region;
    remember('region', region ?? '');
  }

  setLanguage(language: Language): void {
    this.language.value = language;
    remember('language', language);
  }

  get link(): string {
    return roomLink(location, this.room.value);
  }

  /** Asks for camera and microphone, then joins the room. */
  async enter(): Promise<void> {
    if (this.stage.value !== 'lobby') return;
    this.notices.value = [];
    const name = withoutDirections(this.name.value).trim() || this.strings.value.guest;
    const room = this.room.value.trim().normalize('NFC');
    const fault = isDisplayName(name) ? roomAddressFault(room) : 'name_too_long';
    if (fault !== undefined) return this.tell({ tone: 'error', words: ({ badNames }) => badNames[fault] });
    this.stage.value = 'asking';
    this.name.value = name;
    this.room.value = room;
    remember('name', name);
    history.replaceState(null, '', withRoom(location.href, room));
    const media = await openLocalMedia(this.wantsDrawn.value ? 'fake' : 'camera', name);
    if (media.lack !== undefined) {
      const isRefused = media.lack === 'refused';
      const words = (strings: Strings) =>
        isRefused ? strings.drawnBecauseRefused : strings.drawnBecauseInsecure;
      this.tell({ tone: 'info', words });
    }
    batch(() => {
      this.media.value = media;
      this.isHandUp.value = false;
      this.isMicrophoneOn.value = true;
      this.isCameraOn.value = true;
      this.connection.value = { phase: 'connecting' };
      this.panel.value = matchMedia(NARROW).matches ? undefined : 'signals';
      this.stage.value = 'call';
    });
    this.#start(room, name, media);
  }

  async leave(): Promise<void> {
    await this.#session?.leave();
  }

  tell(notice: Notice): void {
    const others = this.notices.value.filter(({ about }) => about === undefined || about !== notice.about);
    this.notices.value = [...others, { ...notice, key: this.#lines++ }].slice(-NOTICES_MAX);
  }

  dismiss(key: number): void {
    this.notices.value = this.notices.value.filter((one) => one.key !== key);
  }

  toggleMicrophone(): void {
    if (this.#mayNot('audio')) return;
    this.isMicrophoneOn.value = !this.isMicrophoneOn.value;
    this.#call?.setEnabled('audio', this.isMicrophoneOn.value);
    this.#tellDevices();
  }

  toggleCamera(): void {
    if (this.#mayNot('video')) return;
    this.isCameraOn.value = !this.isCameraOn.value;
    for (const track of this.media.value?.stream.getVideoTracks() ?? [])
      track.enabled = this.isCameraOn.value;
    this.#tellDevices();
  }

  /** Sends one more video track to everyone, or ends it. */
  toggleSecondPicture(): void {
    if (this.#stopSecond !== undefined) {
      this.#stopSecond();
      return;
    }
    if (this.#mayNot('video')) return;
    const picture = drawBeaconLine(this.name.value);
    const stream = new MediaStream([picture.track]);
    this.secondPicture.value = stream;
    this.#call?.addTrack(picture.track, stream);
    this.#stopSecond = () => {
      this.#stopSecond = undefined;
      this.#call?.removeTrack(picture.track);
      picture.stop();
      this.secondPicture.value = undefined;
    };
  }

  /** Asks to speak, for all to see; or takes that back. */
  toggleHand(): void {
    this.isHandUp.value = !this.isHandUp.value;
    this.#tellDevices();
  }

  /** Orders something as host or moderator, one after the other; the rest is dropped where one is refused. */
  async order(...orders: readonly Moderation[]): Promise<void> {
    const session = this.#session;
    try {
      for (const order of orders) await session?.moderate(order);
    } catch (error) {
      this.#refused(codeOf(error));
    }
  }

  /** Grants what a raised hand asks for: the role, and whatever one was muted in besides. */
  async letSpeak({ id, role }: Peer): Promise<void> {
    const promotion: Moderation[] =
      role === 'listener' ? [{ action: 'set_role', peer: id, role: 'speaker' }] : [];
    await this.order(...promotion, { action: 'unmute', peer: id, kinds: [...KINDS] });
    await this.takeHandDown(id);
  }

  /** A hand is its owner's; their page takes it down. */
  async takeHandDown(peer: PeerId): Promise<void> {
    await this.#session?.message(HAND_TOPIC, { up: false }, { to: peer }).catch((error: unknown) => {
      if (codeOf(error) !== 'peer_not_found') this.#refused(codeOf(error));
    });
  }

  openPanel(panel: 'signals' | 'chat' | undefined): void {
    this.panel.value = panel;
    if (panel === 'chat') this.unread.value = 0;
  }

  /** Says something to everyone. It is shown at once, and takes its place when the room's log has it. */
  async say(text: string): Promise<void> {
    const session = this.#session;
    if (session === undefined || text.trim() === '') return;
    const key = this.#lines++;
    const line: ChatLine = {
      key,
      who: this.name.value,
      isOwn: true,
      text,
      at: new Date(),
      status: 'sending',
    };
    this.chat.value = addChatLine(this.chat.value, line);
    const settle = (change: Partial<ChatLine>) => {
      const others = this.chat.value.filter((one) => one.key !== key);
      this.chat.value = addChatLine(others, { ...line, ...change });
    };
    try {
      const { seq } = await session.message(CHAT_TOPIC, { text });
      settle({ status: 'there', epoch: session.epoch, ...(seq === undefined ? {} : { seq }) });
    } catch (error) {
      settle({ status: 'lost', error: codeOf(error) });
    }
  }

  /** Loses the connection to the node, to see what happens then. */
  dropConnection(): void {
    this.#session?.dropConnection();
  }

  /** Looks for a way to a person anew. */
  restartIce(peer: PeerId): void {
    this.#call?.restartIce(peer);
  }

  /** With a touch or a key a browser lets the page sound. */
  wake(): void {
    this.media.value?.wake();
    this.isSoundBlocked.value = false;
  }

  #start(room: string, name: string, media: LocalMedia): void {
    const { nodes, isDiscovering, token } = this.address;
    const regions = this.regions.value;
    const session = join(regions.length > 1 ? regions : nodes, {
      room,
      name,
      token,
      discover: isDiscovering,
      region: this.region.value,
      metadata: { microphone: true, camera: true },
    });
    const call = new MeshCall(session);
    new EchoTimes(session).on('change', (times) => {
      this.echoMs.value = times;
    });
    this.#session = session;
    this.#call = call;
    for (const track of media.stream.getTracks()) call.addTrack(track, media.stream);

    session.on('state', (state) => this.#follow(state));
    session.on('welcome', ({ node, region }) => {
      this.here.value = { node, region };
    });
    session.on('joined', ({ isRejoin }) => {
      this.#readRoster();
      if (isRejoin) this.comeback.value = 'rejoined';
    });
    session.on('resumed', (resumed) => {
      this.#readRoster();
      this.comeback.value = resumed;
    });
    session.on('resync', () => this.#readRoster());
    session.on('go_away', ({ text }) => {
      if (text !== undefined) this.tell({ tone: 'info', words: () => text });
    });
    session.on('announcement', ({ level, text }) => {
      this.tell({ tone: level === 'warning' ? 'error' : 'info', words: () => text });
    });
    session.on('room_updated', ({ room: { locked } }) => {
      const wasLocked = this.roomState.value?.locked;
      this.#readRoster();
      if (locked === wasLocked) return;
      const words = (strings: Strings) => (locked ? strings.roomLocked : strings.roomUnlocked);
      this.tell({ tone: 'info', about: 'lock', words });
    });
    session.on('peer_joined', ({ peer }) => {
      this.#readRoster();
      this.announcement.value = this.strings.value.joinedNow(peer.name);
    });
    session.on('peer_updated', () => this.#readRoster());
    session.on('peer_left', ({ peer }) => {
      this.#readRoster();
      this.announcement.value = this.strings.value.leftNow(this.#names.get(peer) ?? '');
    });
    session.on('message', ({ seq, from, topic, data }) => {
      const isServer = (from as string) === SERVER;
      if (topic === HAND_TOPIC && (isServer || mayModerate(session.peers.get(from)))) this.#lowerHand();
      const text = topic === CHAT_TOPIC ? chatText(data) : undefined;
      if (text === undefined) return;
      const { server, guest } = this.strings.value;
      const who = isServer ? server : (this.#names.get(from) ?? guest);
      const place = { epoch: session.epoch, ...(seq === undefined ? {} : { seq }) };
      const line = { key: this.#lines++, who, isOwn: false, text, at: new Date(), ...place };
      this.chat.value = addChatLine(this.chat.value, { ...line, status: 'there' });
      if (this.panel.value !== 'chat') this.unread.value++;
    });
    session.on('wire', (line) => this.#write(line));
    call.on('link', () => this.#readRoster());
    call.on('media', () => this.#readRoster());
    call.on('fault', ({ peer, step, error, isHealing }) => {
      // A person who has just left is no fault.
      if (codeOf(error) === 'peer_not_found' || this.connection.value.phase !== 'connected') return;
      const name = this.#names.get(peer) ?? this.strings.value.guest;
      const words = (strings: Strings) =>
        isHealing ? strings.faultHealing(name) : strings.fault(name, step);
      this.tell({ tone: isHealing ? 'info' : 'error', about: 'fault', words });
    });
    this.#statsTimer = setInterval(() => void this.#readStats(), STATS_EVERY_MS);
  }

  #follow(state: SessionState): void {
    this.connection.value = state;
    this.#missNode(state.phase === 'reconnecting');
    if (state.phase !== 'closed') return;
    const words = whyItEnded(state, this.#names);
    clearInterval(this.#statsTimer);
    clearTimeout(this.#flush);
    this.#flush = undefined;
    this.#newLines = [];
    this.#answerMs = [];
    this.#stopSecond?.();
    this.media.value?.stop();
    this.#session = undefined;
    this.#call = undefined;
    this.#names.clear();
    batch(() => {
      this.media.value = undefined;
      this.here.value = undefined;
      this.comeback.value = undefined;
      this.self.value = undefined;
      this.roomState.value = undefined;
      this.peers.value = [];
      this.stats.value = new Map();
      this.signalingMs.value = undefined;
      this.echoMs.value = new Map();
      this.log.value = [];
      this.chat.value = [];
      this.unread.value = 0;
      this.isSoundBlocked.value = false;
      this.stage.value = 'lobby';
      this.notices.value = [];
      if (state.reason !== 'left') this.tell({ tone: 'error', code: state.reason, words });
    });
  }

  #missNode(isGone: boolean): void {
    if (isGone) {
      this.#missing ??= setTimeout(() => {
        this.isNodeMissed.value = true;
      }, NODE_MISSED_AFTER_MS);
      return;
    }
    clearTimeout(this.#missing);
    this.#missing = undefined;
    this.isNodeMissed.value = false;
  }

  #readRoster(): void {
    const session = this.#session;
    if (session === undefined) return;
    const changes = session.self === undefined ? [] : ownChanges(this.self.value, session.self);
    batch(() => {
      for (const change of changes) this.#tellOwn(change);
      this.self.value = session.self;
      this.roomState.value = session.room;
      if (session.self !== undefined) this.#names.set(session.self.id, session.self.name);
      this.peers.value = [...session.peers.values()].map((peer) => {
        this.#names.set(peer.id, peer.name);
        const link = this.#call?.stateOf(peer.id);
        const streams = this.#call?.streamsOf(peer.id) ?? [];
        return link === undefined ? { peer, streams } : { peer, streams, link };
      });
    });
  }

  async #readStats(): Promise<void> {
    const call = this.#call;
    if (call === undefined) return;
    const all = await Promise.all(
      this.peers.value.map(
        async ({ peer }) => [peer.id, await call.statsOf(peer.id).catch(() => undefined)] as const,
      ),
    );
    if (call !== this.#call) return;
    this.stats.value = new Map(all.flatMap(([id, stats]) => (stats === undefined ? [] : [[id, stats]])));
  }

  #write(line: WireLine): void {
    if (line.topic === ECHO_TOPIC) return; // What measures is not what is measured.
    if (line.tookMs !== undefined) {
      this.#answerMs.push(line.tookMs);
      this.#answerMs.splice(0, this.#answerMs.length - ANSWERS_LOOKED_AT);
      this.signalingMs.value = Math.min(...this.#answerMs);
    }
    const peer = line.peer === undefined ? undefined : this.#session?.peers.get(line.peer as PeerId);
    const who = line.peer === undefined ? undefined : (this.#names.get(line.peer as PeerId) ?? peer?.name);
    const isAcrossNodes = peer !== undefined && peer.node !== this.here.value?.node;
    const entry = { ...line, key: this.#lines++, isAcrossNodes, ...(who === undefined ? {} : { who }) };
    this.#newLines.push(entry);
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      this.log.value = [...this.log.value, ...this.#newLines.splice(0)].slice(-LOG_LINES_MAX);
    }, LOG_EVERY_MS);
  }

  /** Whether one can be heard and seen is for the others to show. */
  #tellDevices(): void {
    const hand = this.isHandUp.value ? { hand: true } : {};
    const metadata = { microphone: this.isMicrophoneOn.value, camera: this.isCameraOn.value, ...hand };
    this.#session?.update({ metadata }).catch((error: unknown) => {
      const code = codeOf(error);
      // Where the session has expired, the join that follows tells them.
      if (code !== 'session_expired') this.#refused(code);
    });
  }

  #refused(code: ErrorCode): void {
    this.tell({ tone: 'error', about: 'refusal', code, words: (strings) => strings.errors[code] });
  }

  /** Others have decided so: one is told why, and nothing is turned on. */
  #mayNot(kind: Kind): boolean {
    const self = this.self.value;
    if (!isMuted(self, kind)) return false;
    const words = (strings: Strings) =>
      self?.role === 'listener' ? strings.listenersOnly : strings.mutedByHost[kind];
    this.tell({ tone: 'info', about: kind, words });
    return true;
  }

  #tellOwn(change: OwnChange): void {
    if (change.type === 'role') {
      this.tell({ tone: 'info', about: 'role', words: (strings) => strings.youBecame[change.role] });
      return;
    }
    const { kind } = change;
    const isOn = kind === 'audio' ? this.isMicrophoneOn : this.isCameraOn;
    const words = (strings: Strings) =>
      change.type === 'muted' ? strings.youMuted[kind] : strings.youUnmuted[kind](isOn.value);
    this.tell({ tone: change.type === 'muted' ? 'error' : 'info', about: kind, words });
  }

  #lowerHand(): void {
    if (!this.isHandUp.value) return;
    this.isHandUp.value = false;
    this.#tellDevices();
    this.tell({ tone: 'info', about: 'hand', words: (strings) => strings.handTakenDown });
  }
}

/** By whom, where it was somebody in the room. */
function whyItEnded(
  state: SessionState & { phase: 'closed' },
  names: ReadonlyMap<PeerId, string>,
): Notice['words'] {
  const { reason, by } = state;
  if (reason === 'left') return () => '';
  const name = by === undefined ? undefined : names.get(by);
  if (name !== undefined && (reason === 'kicked' || reason === 'banned' || reason === 'closed')) {
    return (strings) => strings.removedBy[reason](name);
  }
  return (strings) => strings.errors[reason];
}

function codeOf(error: unknown): ErrorCode {
  return error instanceof SignalingError ? error.code : 'unavailable';
}

function withRoom(href: string, room: string): string {
  const url = new URL(href);
  url.searchParams.set('room', room);
  return url.href;
}
