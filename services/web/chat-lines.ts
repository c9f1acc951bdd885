import type { ErrorCode, Json } from '@fenghuo/client';

/** One message of the chat. `there`: it has its place in the room's log. */
export interface ChatLine {
  readonly key: number;
  readonly who: string;
  readonly isOwn: boolean;
  readonly text: string;
  readonly at: Date;
  readonly status: 'sending' | 'there' | 'lost';
  readonly epoch?: number;
  readonly seq?: number;
  readonly error?: ErrorCode;
}

export const CHAT_TOPIC = 'chat';
export const CHAT_CHARS_MAX = 2_000;
const CHAT_LINES_MAX = 500;

/** Puts a line where the room's log has it, so that everyone reads the same order; without seq, at the end. */
export function addChatLine(lines: readonly ChatLine[], line: ChatLine): readonly ChatLine[] {
  let place = lines.length;
  while (place > 0 && comesBefore(line, lines[place - 1])) place--;
  return lines.toSpliced(place, 0, line).slice(-CHAT_LINES_MAX);
}

function comesBefore(line: ChatLine, other: ChatLine | undefined): boolean {
  if (other === undefined || line.seq === undefined) return false;
  if (other.seq === undefined) return other.status === 'sending';
  return line.epoch === other.epoch && line.seq < other.seq;
}

/** Reads what came as a chat message; undefined where it is none. */
export function chatText(data: Json): string | undefined {
  if (typeof data !== 'object' || data === null || !('text' in data)) return undefined;
  return typeof data.text === 'string' ? data.text.slice(0, CHAT_CHARS_MAX) : undefined;
}
