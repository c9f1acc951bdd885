import type { Kind, PeerId } from '@fenghuo/protocol';
import { answerText, parseAnswer } from '../../domain/answer.ts';
import type { Person } from '../../domain/identity.ts';
import { RecentAnswers } from '../../domain/recent-answers.ts';
import type { Restored } from '../../domain/restore.ts';
import {
  type MemberState,
  metadataBytesOf,
  NO_BANS,
  NO_MUTES,
  type RoomState,
  readState,
} from '../../domain/room-state.ts';
import type { Contribution } from '../rebuilds.ts';

const ANSWERS_KEPT = 64;

/** A room's hash, as HGETALL gives it: undefined where there is none, `malformed` where it is no room's. */
export function readFields(flat: readonly string[]): RoomState | undefined | 'malformed' {
  if (flat.length === 0) return undefined;
  return readState(() => stateFromFields(flat)) ?? 'malformed';
}

/** prelude.lua names the fields. Throws where it cannot make anything of them. */
function stateFromFields(flat: readonly string[]): RoomState {
  const fields = fieldsOf(flat);
  const members = new Map<PeerId, MemberState>();
  for (const id of (fields.get('order') ?? '').split(' ').filter((each) => each !== '')) {
    const member = memberFromFields(fields, id);
    members.set(member.peer.id, member);
  }
  const bans: Person[] = [];
  const mutes: [Person, Kind[]][] = [];
  for (const [field, value] of fields) {
    if (field.startsWith('a:')) keepAnswer(members.get(answererOf(field)), value);
    else if (field.startsWith('b:')) bans.push(field.slice(2) as Person);
    else if (field.startsWith('q:')) mutes.push([field.slice(2) as Person, JSON.parse(value) as Kind[]]);
  }
  return {
    epoch: numberIn(fields, 'epoch'),
    seq: numberIn(fields, 'seq'),
    peersMax: numberIn(fields, 'max'),
    locked: fields.get('locked') === 'true',
    inherits: fields.get('inherits') === 'true',
    bans: bans.length === 0 ? NO_BANS : new Set(bans),
    mutes: mutes.length === 0 ? NO_MUTES : new Map(mutes),
    members,
  };
}

/** What fell off the log since the room began, or was restored last. */
export function trimmedFromFields(flat: readonly string[], { members }: RoomState): Contribution['trimmed'] {
  const fields = fieldsOf(flat);
  const value = (field: string) => {
    const seq = Number(fields.get(field) ?? 0);
    // What fell off is not known: whatever there was concerned everybody.
    return Number.isSafeInteger(seq) && seq >= 0 ? seq : Number.MAX_SAFE_INTEGER;
  };
  return {
    from: value('former_from'),
    everyone: value('trimmed'),
    one: [...members.keys()].map((id) => [id, value(`z:${id}`)] as const),
  };
}

/** An absent or an empty one is no number. */
function numberIn(fields: ReadonlyMap<string, string>, field: string): number {
  return Number(fields.get(field) || undefined);
}

function fieldsOf(flat: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
  return fields;
}

/** Parsed as one JSON text: what is cut out of a reply keeps all of that, for as long as the member is there. */
function memberFromFields(fields: ReadonlyMap<string, string>, id: string): MemberState {
  const of = (letter: string) => fields.get(`${letter}:${id}`) ?? '';
  const peer = `{"id":"${id}",${of('p')},"role":"${of('r')}","muted":${of('m')},"connected":${of('c')},"joined_seq":${of('j')},${of('n')}}`;
  const rest = `"person":"${of('u')}","mutes":${of('k') || '[]'},"tokenHash":"${of('t')}","incarnation":"${of('w')}"`;
  const member = JSON.parse(`{"peer":${peer},${rest}}`) as Omit<
    MemberState,
    'requests' | 'attempt' | 'since'
  >;
  return {
    ...member,
    requests: {
      generation: numberIn(fields, `g:${id}`),
      lastId: numberIn(fields, `i:${id}`),
      answers: new RecentAnswers(),
    },
    attempt: Number(of('x')),
    since: Number(of('s')),
  };
}

/** Of `a:<peer>:<slot>`. */
function answererOf(field: string): PeerId {
  return field.slice(2, field.lastIndexOf(':')) as PeerId;
}

function keepAnswer(member: MemberState | undefined, kept: string): void {
  const blank = kept.indexOf(' ');
  const answer = parseAnswer(kept.slice(blank + 1));
  if (answer === undefined) throw new Error('a kept answer that is none');
  member?.requests.answers.set(Number(kept.slice(0, blank)), answer);
}

/** The fields of a restored room, each followed by its value. `first` is the oldest seq of its log, `bytes` its size. */
export function fieldsFromState(
  { state, former, trimmed }: Restored,
  log: { readonly first: number; readonly bytes: number },
): string[] {
  const fields: (string | number)[] = ['epoch', state.epoch, 'seq', state.seq];
  fields.push('first', log.first, 'bytes', log.bytes, 'members', state.members.size);
  fields.push('metadata', metadataBytesOf(state.members.values()));
  fields.push(
    'max',
    state.peersMax,
    'locked',
    String(state.locked),
    'order',
    [...state.members.keys()].join(' '),
  );
  fields.push(
    'trimmed',
    trimmed.everyone,
    'trimmed_by',
    '*',
    'trimmed_other',
    0,
    'former_epoch',
    former.epoch,
  );
  fields.push('former_from', former.completeFrom, 'former_head', former.head);
  fields.push('inherits', String(state.inherits), 'banned', state.bans.size, 'muted', state.mutes.size);
  for (const person of state.bans) fields.push(`b:${person}`, 1);
  for (const [person, kinds] of state.mutes) fields.push(`q:${person}`, JSON.stringify(kinds));
  for (const [id, member] of state.members) {
    const { peer, requests } = member;
    const values = {
      g: requests.generation,
      i: requests.lastId,
      p: `"name":${JSON.stringify(peer.name)},"metadata":${JSON.stringify(peer.metadata)}`,
      n: `"node":${JSON.stringify(peer.node)},"region":${JSON.stringify(peer.region)}`,
      r: peer.role,
      m: JSON.stringify(peer.muted),
      c: String(peer.connected),
      j: peer.joined_seq,
      t: member.tokenHash,
      w: member.incarnation,
      x: member.attempt,
      h: '',
      s: member.since,
      z: trimmed.one.get(id) ?? 0,
      u: member.person,
      k: JSON.stringify(member.mutes),
    };
    for (const [letter, value] of Object.entries(values)) fields.push(`${letter}:${id}`, value);
    for (const [request, answer] of requests.answers)
      fields.push(`a:${id}:${request % ANSWERS_KEPT}`, `${request} ${answerText(answer)}`);
  }
  return fields.map(String);
}
