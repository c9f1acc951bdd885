import { PEER_NAME_CHARS_MAX, ROOM_NAME_CHARS_MAX } from './limits.ts';

/** What a client may name: a room, or a room with the home that holds it (`name@region`). */
export interface RoomAddress {
  readonly name: string;
  readonly home?: string;
}

/** What is wrong with a text that is no room address. */
export type RoomAddressFault = 'empty' | 'too_long' | 'joiner' | 'character' | 'not_nfc' | 'home';

/** U+200C and U+200D, which scripts and emoji are written with: between letters (and their marks), digits or emoji, one at a time. */
const JOINER = /[\u200c\u200d]/u;
const BETWEEN =
  /(?<=[\p{L}\p{M}\p{N}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d](?=[\p{L}\p{M}\p{N}\p{Extended_Pictographic}])(?!\p{Default_Ignorable_Code_Point})/gu;
const FORBIDDEN = /[\p{C}{}]/u;
const HOME_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Undefined: nothing. The one rule of room names, for nodes and for whoever asks before a node does. */
export function roomAddressFault(text: string): RoomAddressFault | undefined {
  const [name = '', home, ...more] = text.split('@');
  const bare = name.replace(BETWEEN, '');
  if (name === '') return 'empty';
  if (name.length > ROOM_NAME_CHARS_MAX && [...name].length > ROOM_NAME_CHARS_MAX) return 'too_long';
  if (JOINER.test(bare)) return 'joiner';
  if (FORBIDDEN.test(bare)) return 'character';
  if (name !== name.normalize('NFC')) return 'not_nfc';
  return more.length > 0 || (home !== undefined && !HOME_NAME.test(home)) ? 'home' : undefined;
}

/** Reads `name` or `name@region`; undefined where the text is neither. */
export function parseRoomAddress(text: string): RoomAddress | undefined {
  if (roomAddressFault(text) !== undefined) return undefined;
  const [name = '', home] = text.split('@');
  return home === undefined ? { name } : { name, home };
}

/** Whether people may be shown this name: counted in characters (Unicode code points). */
export function isDisplayName(name: string): boolean {
  return name.length <= PEER_NAME_CHARS_MAX * 2 && [...name].length <= PEER_NAME_CHARS_MAX;
}

/** Without what would turn the direction of the text around it: embeddings, overrides and isolates (UAX #9, 2). */
export function withoutDirections(name: string): string {
  return name.replace(/[\u202a-\u202e\u2066-\u2069]/g, '');
}
