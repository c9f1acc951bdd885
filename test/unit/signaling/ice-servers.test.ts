import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { iceServersFor } from '../../../services/signaling/ice-servers.ts';

const SETTINGS = {
  stunUrls: ['stun:stun.example.org'],
  turnUrls: ['turn:turn.example.org:3478?transport=udp', 'turns:turn.example.org:5349'],
  turnSecret: 'north',
  turnTtlS: 600,
};

describe('ICE servers', () => {
  test('TURN credentials name their end and their user, and are signed as coturn signs them', () => {
    const username = '1800000600:OwOTCj4MzqyW0eTP';
    expect(iceServersFor(SETTINGS, 'OwOTCj4MzqyW0eTP', 1_800_000_000_999)).toEqual([
      { urls: SETTINGS.stunUrls },
      {
        urls: SETTINGS.turnUrls,
        username,
        credential: createHmac('sha1', 'north').update(username).digest('base64'),
      },
    ]);
  });

  test('another implementation of the signature comes to the same credential', () => {
    const [, turn] = iceServersFor(SETTINGS, 'OHUmUykOQzo22G3h', 0);
    // printf %s 600:OHUmUykOQzo22G3h | openssl dgst -sha1 -hmac north -binary | base64
    expect(turn).toMatchObject({
      username: '600:OHUmUykOQzo22G3h',
      credential: 'REf5IUKpwgauBekYkzYk9P50aHQ=',
    });
  });

  test('without servers there are none, and without TURN no credentials', () => {
    expect(iceServersFor({ ...SETTINGS, stunUrls: [], turnUrls: [] }, 'u', 0)).toEqual([]);
    expect(iceServersFor({ ...SETTINGS, turnUrls: [] }, 'u', 0)).toEqual([{ urls: SETTINGS.stunUrls }]);
    expect(iceServersFor({ ...SETTINGS, turnSecret: undefined }, 'u', 0)).toHaveLength(1);
  });
});
