import type { PeerId } from '@fenghuo/protocol';
import type { RoomId } from './room-id.ts';

/** What lets a session continue elsewhere: where it lives, and a secret that only its client knows. */
export interface ResumeToken {
  readonly room: RoomId;
  readonly peer: PeerId;
  readonly secret: string;
}

/** `peer.secret.room`, the room in base64url. The backplane keeps the secret's hash alone. */
export function formatResumeToken({ room, peer, secret }: ResumeToken): string {
  return `${peer}.${secret}.${Buffer.from(room).toString('base64url')}`;
}

const TOKEN = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]+)$/;

/** Undefined where the text is no token of ours. What it names may not exist, nor ever have. */
export function parseResumeToken(text: string): ResumeToken | undefined {
  const [, peer, secret, encoded = ''] = TOKEN.exec(text) ?? [];
  const room = fromBase64url(encoded);
  if (peer === undefined || secret === undefined || room === undefined || !room.includes('@'))
    return undefined;
  return { room: room as RoomId, peer: peer as PeerId, secret };
}

function fromBase64url(encoded: string): string | undefined {
  try {
    const bytes = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
    return new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
    );
  } catch {
    return undefined;
  }
}
