import type { Language } from '../language.ts';
import type { ClusterEvent } from './admin-api.ts';

/** What an event says; one that is newer than this page says its own name. */
export function eventWords(event: ClusterEvent, language: Language): string {
  const name = nameOf(event);
  const words = WORDS[language][name] ?? name.replaceAll('_', ' ');
  const isRefused = event.event === 'audit' && event.outcome !== 'ok';
  return isRefused ? REFUSED[language](words) : words;
}

/** Whatever else an event carries, as it is: `room=blue reason=kicked`. What its words say already is left out. */
export function detailsOf(event: ClusterEvent): string {
  const isKnown = (name: string, value: unknown) =>
    SAID.has(name) || ORIGIN.has(name) || (name === 'outcome' && value === 'ok');
  return membersOf(event, (name, value) => !isKnown(name, value));
}

/** From where an operator acted, and with which token. */
export function originOf(event: ClusterEvent): string {
  return membersOf(event, (name) => ORIGIN.has(name));
}

function membersOf(event: ClusterEvent, isWanted: (name: string, value: unknown) => boolean): string {
  return Object.entries(event)
    .filter(([name, value]) => value !== '' && isWanted(name, value))
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ')
    .slice(0, DETAILS_CHARS_MAX);
}

/** An operator's deed goes by what was done; on a room, by the order. */
function nameOf({ event, action, order }: ClusterEvent): string {
  if (event !== 'audit') return event;
  return String(action === 'room_moderate' ? order : action);
}

const SAID = new Set(['id', 'at', 'node', 'event', 'action', 'order']);
const ORIGIN = new Set(['address', 'token']);
const DETAILS_CHARS_MAX = 300;

const REFUSED: Record<Language, (words: string) => string> = {
  en: (words) => `Refused: ${words}`,
  zh: (words) => `未成：${words}`,
};

const en: Readonly<Record<string, string>> = {
  node_started: 'A node started',
  node_stopped: 'A node stopped',
  node_swept: 'A dead node’s sessions were taken over',
  taken_for_dead: 'The node was taken for dead, and is back',
  home_sealed: 'A home began anew',
  drain_began: 'Draining',
  drain_undone: 'Drain undone',
  drain_done: 'Drained',
  node_drain: 'Operator: drain',
  node_undrain: 'Operator: undrain',
  room_message: 'Operator: message',
  announcement: 'Operator: announcement',
  mute: 'Operator: mute',
  unmute: 'Operator: unmute',
  kick: 'Operator: kick',
  ban: 'Operator: ban',
  set_role: 'Operator: set role',
  lock: 'Operator: lock',
  unlock: 'Operator: unlock',
  close: 'Operator: close room',
};

const zh: typeof en = {
  node_started: '节点已启动',
  node_stopped: '节点已停止',
  node_swept: '已接管失效节点的会话',
  taken_for_dead: '节点曾被判失效，现已恢复',
  home_sealed: '归属区重新开始',
  drain_began: '开始排空',
  drain_undone: '排空已撤销',
  drain_done: '排空完成',
  node_drain: '运维：排空',
  node_undrain: '运维：恢复',
  room_message: '运维：消息',
  announcement: '运维：公告',
  mute: '运维：静音',
  unmute: '运维：解除静音',
  kick: '运维：请出',
  ban: '运维：封禁',
  set_role: '运维：更改角色',
  lock: '运维：锁定',
  unlock: '运维：解锁',
  close: '运维：关闭房间',
};

const WORDS: Record<Language, Readonly<Record<string, string>>> = { en, zh };
