import type { PeerId } from '@fenghuo/protocol';
import type { RoomId } from './room-id.ts';

/**
 * What lets a session continue elsewhere: where it lives, and a secret that only its client knows. The backplane
 * keeps the secret's hash alone.
 */
export function formatResumeToken(room: RoomId, peer: PeerId, secret: string): string {
  return `${peer}.${secret}.${base64url(room)}`;
}

function base64url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
