import { type Kind, type Moderation, NOTICE_CHARS_MAX, type Peer, type Role } from '@fenghuo/protocol';
import type { AdminApi, Announcement, AnnouncementReply, Answer, Audience } from './admin-api.ts';
import { figure } from './figures.ts';
import type { NodeView } from './node-list.ts';
import type { Strings } from './strings.ts';

export const KINDS = ['audio', 'video', 'message'] as const satisfies readonly Kind[];
export const ROLES = ['host', 'moderator', 'speaker', 'listener'] as const satisfies readonly Role[];
/** The one topic that the call page shows. */
const CHAT_TOPIC = 'chat';
const TOPIC = '[A-Za-z0-9_.\\-]{1,64}';

type Words = (strings: Strings) => string;

/** Something to fill in before an order is given. */
export interface Field {
  readonly name: string;
  readonly label: Words;
  /** Options have to be chosen from; `area` is for longer texts, `line` for short ones. */
  readonly shape: 'line' | 'area' | readonly { readonly value: string; readonly label: Words }[];
  readonly value?: string;
  readonly isRequired?: boolean;
  readonly charsMax?: number;
  readonly pattern?: string;
}

export type Values = Readonly<Record<string, string>>;

/** What came of an order that was carried out. */
export interface Outcome {
  readonly tone: 'good' | 'warning';
  readonly words: Words;
}

/** What an operator may order, and how it is put to the operator first. */
export interface Order {
  readonly name: string;
  /** Asked before it is given; none: it is undone as easily as it is done. */
  readonly question?: {
    readonly title: Words;
    readonly text: Words;
    readonly confirm: Words;
    readonly isGrave: boolean;
    readonly fields: readonly Field[];
  };
  give(api: AdminApi, values: Values): Promise<Answer<{ readonly outcome: Outcome }>>;
}

export function drain(node: NodeView): Order {
  return {
    name: 'drain',
    question: {
      title: ({ asks }) => asks.drain.title(node.id),
      text: ({ asks }) => asks.drain.text(figure(node.connections)),
      confirm: ({ asks }) => asks.drain.confirm,
      isGrave: true,
      fields: [
        { name: 'text', label: ({ fields }) => fields.drainText, shape: 'line', charsMax: NOTICE_CHARS_MAX },
      ],
    },
    give: async (api, { text = '' }) =>
      withOutcome(await api.drain(node.id, text.trim()), ({ asks }) => asks.drain.done(node.id)),
  };
}

export function undrain(node: NodeView): Order {
  return {
    name: 'undrain',
    give: async (api) => withOutcome(await api.undrain(node.id), ({ asks }) => asks.undrain.done(node.id)),
  };
}

/** `room` is the room's id; people are called by their names. */
export function remove(action: 'kick' | 'ban', room: string, { id, name }: Peer): Order {
  return {
    name: action,
    question: {
      title: ({ asks }) => asks[action].title(name, room),
      text: ({ asks }) => asks[action].text,
      confirm: ({ asks }) => asks[action].confirm,
      isGrave: true,
      fields: [
        { name: 'reason', label: ({ fields }) => fields.reason, shape: 'line', charsMax: NOTICE_CHARS_MAX },
      ],
    },
    give: async (api, { reason = '' }) => {
      const order = { action, peer: id, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) };
      return withOutcome(await api.moderate(room, order), ({ asks }) => asks[action].done(name, room));
    },
  };
}

export function setRole(room: string, person: Peer, role: Role): Order {
  const { id, name } = person;
  return {
    name: 'set_role',
    question: {
      title: ({ asks, roles }) => asks.role.title(name, roles[role]),
      text: ({ asks, roles }) => asks.role.text(roles[person.role], roles[role]),
      confirm: ({ asks }) => asks.role.confirm,
      isGrave: false,
      fields: [],
    },
    give: (api) =>
      moderate(api, room, { action: 'set_role', peer: id, role }, ({ asks, roles }) =>
        asks.role.done(name, roles[role]),
      ),
  };
}

export function setMuted(room: string, { id, name, muted }: Peer, kind: Kind): Order {
  const action = muted.includes(kind) ? 'unmute' : 'mute';
  return {
    name: action,
    give: (api) =>
      moderate(api, room, { action, peer: id, kinds: [kind] }, ({ asks, kinds }) =>
        asks[action].done(kinds[kind], name),
      ),
  };
}

export function muteAll(room: string, people: number): Order {
  return {
    name: 'mute_all',
    question: {
      title: ({ asks }) => asks.muteAll.title(room),
      text: ({ asks }) => asks.muteAll.text(figure(people)),
      confirm: ({ asks }) => asks.muteAll.confirm,
      isGrave: true,
      fields: [
        {
          name: 'kinds',
          label: ({ fields }) => fields.kinds,
          shape: [
            ...KINDS.map((kind) => ({ value: kind, label: ({ kinds }: Strings) => kinds[kind] })),
            { value: KINDS.join(), label: ({ everyKind }) => everyKind },
          ],
        },
      ],
    },
    give: (api, { kinds = '' }) =>
      moderate(
        api,
        room,
        { action: 'mute', peer: '*', kinds: KINDS.filter((kind) => kinds.split(',').includes(kind)) },
        ({ asks }) => asks.muteAll.done(room),
      ),
  };
}

export function setLocked(room: string, isLocked: boolean): Order {
  const action = isLocked ? 'lock' : 'unlock';
  return {
    name: action,
    give: (api) => moderate(api, room, { action }, ({ asks }) => asks[action].done(room)),
  };
}

export function close(room: string, people: number): Order {
  return {
    name: 'close',
    question: {
      title: ({ asks }) => asks.close.title(room),
      text: ({ asks }) => asks.close.text(figure(people)),
      confirm: ({ asks }) => asks.close.confirm,
      isGrave: true,
      fields: [],
    },
    give: (api) => moderate(api, room, { action: 'close' }, ({ asks }) => asks.close.done(room)),
  };
}

/** Without a person, to the whole room. */
export function say(room: string, person?: Peer): Order {
  const to = person?.name ?? room;
  return {
    name: 'say',
    question: {
      title: ({ asks }) => asks.say.title(to),
      text: ({ asks }) => asks.say.text,
      confirm: ({ asks }) => asks.say.confirm,
      isGrave: false,
      fields: [
        {
          name: 'topic',
          label: ({ fields }) => fields.topic,
          shape: 'line',
          value: CHAT_TOPIC,
          isRequired: true,
          pattern: TOPIC,
        },
        { name: 'data', label: ({ fields }) => fields.data, shape: 'area', isRequired: true },
      ],
    },
    give: async (api, { topic = '', data = '' }) =>
      withOutcome(
        await api.send(room, {
          ...(person === undefined ? {} : { to: person.id }),
          topic,
          data: readData(topic, data),
        }),
        ({ asks }) => asks.say.done(to),
      ),
  };
}

/** JSON where it is some; else a text. The call page's chat takes `{text}` alone: whatever is none is made one. */
export function readData(topic: string, text: string): unknown {
  const data = parsed(text);
  const isObject = typeof data === 'object' && data !== null;
  return topic === CHAT_TOPIC && !isObject ? { text } : (data ?? text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** To whom one may choose, with `preset` chosen to begin with. */
export function announce(nodes: readonly NodeView[], preset?: Audience): Order {
  const living = nodes.filter(({ goneAt }) => goneAt === undefined);
  const regions = [...new Set(living.flatMap(({ region }) => region ?? []))];
  const audiences: readonly { readonly to?: Audience; readonly label: Words }[] = [
    { label: ({ everyone }) => everyone },
    ...(preset !== undefined && 'room' in preset
      ? [{ to: preset, label: ({ toRoom }: Strings) => toRoom(preset.room) }]
      : []),
    ...regions.map((region) => ({ to: { region }, label: ({ toRegion }: Strings) => toRegion(region) })),
    ...living.map(({ id }) => ({ to: { node: id }, label: ({ toNode }: Strings) => toNode(id) })),
  ];
  return {
    name: 'announce',
    question: {
      title: ({ asks }) => asks.announce.title,
      text: ({ asks }) => asks.announce.text,
      confirm: ({ asks }) => asks.announce.confirm,
      isGrave: false,
      fields: [
        {
          name: 'to',
          label: ({ fields }) => fields.audience,
          shape: audiences.map(({ to, label }) => ({ value: JSON.stringify(to ?? null), label })),
          value: JSON.stringify(preset ?? null),
        },
        {
          name: 'level',
          label: ({ fields }) => fields.level,
          shape: [
            { value: 'info', label: ({ info }) => info },
            { value: 'warning', label: ({ warning }) => warning },
          ],
        },
        {
          name: 'text',
          label: ({ fields }) => fields.announcement,
          shape: 'area',
          isRequired: true,
          charsMax: NOTICE_CHARS_MAX,
        },
      ],
    },
    give: async (api, { to = 'null', level, text = '' }) => {
      const audience = JSON.parse(to) as Audience | null;
      const announcement: Announcement = {
        level: level === 'warning' ? 'warning' : 'info',
        text: text.trim(),
        ...(audience === null ? {} : { to: audience }),
      };
      const answer = await api.announce(announcement);
      return answer.ok ? { ok: true, outcome: announced(answer) } : answer;
    },
  };
}

function announced({ connections, nodes, silent }: AnnouncementReply): Outcome {
  const counts = nodes.map((node) => `${node.id} ${figure(node.connections)}`).join(', ');
  return {
    tone: silent.length === 0 ? 'good' : 'warning',
    words: ({ asks }) => {
      const taken =
        connections === 0 ? asks.announce.doneNowhere : asks.announce.done(figure(connections), counts);
      return silent.length === 0 ? taken : `${taken} ${asks.announce.silent(silent.join(', '))}`;
    },
  };
}

async function moderate(api: AdminApi, room: string, order: Moderation, words: Words) {
  return withOutcome(await api.moderate(room, order), words);
}

function withOutcome(answer: Answer<object>, words: Words): Answer<{ readonly outcome: Outcome }> {
  return answer.ok ? { ok: true, outcome: { tone: 'good', words } } : answer;
}
