import type { PeerId } from '@fenghuo/protocol';
import { describe, expect, test } from 'vitest';
import { roomId } from '../../../services/signaling/domain/room-id.ts';
import { parseRecord } from '../../../services/signaling/domain/room-record.ts';
import { keyFrom, signedHeaders } from '../../../services/signaling/webhooks/signature.ts';
import { webhookEvents } from '../../../services/signaling/webhooks/webhook-events.ts';

const blue = roomId('blue', 'main');
const ann = 'ann' as PeerId;

/** What a record says: of a letter, at a seq, with its body and what nodes alone know. */
function eventsOf(
  letter: string,
  seq: number,
  body: object,
  inner?: object,
  peersLeft: number | undefined = 2,
) {
  const more = inner === undefined ? '' : `\n${JSON.stringify(inner)}`;
  const record = parseRecord(`${letter} 7 ${seq} ${ann} * 0 0 origin 1.5\n${JSON.stringify(body)}${more}`);
  if (record === undefined) throw new Error('no record');
  return webhookEvents(blue, record, peersLeft).map(({ id, ...event }) => {
    expect(id).toMatch(/^evt_[A-Za-z0-9_-]{22}$/);
    expect(event).toMatchObject({ room: blue, epoch: 7, seq });
    return [event.type, event.data];
  });
}

describe('a record says to a backend', () => {
  const peer = { id: ann, name: 'Ann' };
  test.each([
    [
      'that a room started, with its first peer',
      'J',
      1,
      { peer },
      [
        ['room_started', {}],
        ['peer_joined', { peer }],
      ],
    ],
    ['that a peer joined', 'J', 5, { peer }, [['peer_joined', { peer }]]],
    [
      'that a peer left, and why',
      'L',
      5,
      { peer: ann, reason: 'expired' },
      [['peer_left', { peer: ann, reason: 'expired' }]],
    ],
    ['that somebody changed a peer', 'A', 5, { peer }, [['peer_updated', { peer }]]],
    [
      'that the settings changed',
      'K',
      5,
      { room: { locked: true } },
      [['room_updated', { room: { locked: true } }]],
    ],
    ['that a room was closed', 'C', 5, {}, [['room_ended', { reason: 'closed' }]]],
    ['nothing of what peers say and do themselves', 'M', 5, { data: 'secret' }, []],
    ['nothing of their signals', 'S', 5, {}, []],
    ['nothing of their profiles', 'U', 5, { peer }, []],
    ['nothing of their connections', 'D', 5, { peer }, []],
    ['nothing that a newer version wrote', 'Z', 5, {}, []],
  ])('%s', (_, letter, seq, body, events) => {
    expect(eventsOf(letter, seq, body)).toEqual(events);
  });

  test('that a room ended with its last peer, where it is known who is left', () => {
    const left = { peer: ann, reason: 'left' };
    expect(eventsOf('L', 9, left, undefined, 0)).toEqual([
      ['peer_left', left],
      ['room_ended', { reason: 'empty' }],
    ]);
  });

  test('which member did it', () => {
    expect(eventsOf('L', 9, { peer: ann, reason: 'kicked' }, { b: 'host' })).toEqual([
      ['peer_left', { peer: ann, reason: 'kicked', by: 'host' }],
    ]);
  });
});

test('the signature is that of the Standard Webhooks specification', () => {
  // Its own example: https://github.com/standard-webhooks/standard-webhooks, libraries' test vector.
  const key = keyFrom('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') as Buffer;
  const headers = signedHeaders(
    key,
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    1_614_265_330_000,
    '{"test": 2432232314}',
  );
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});
